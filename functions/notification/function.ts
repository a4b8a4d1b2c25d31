import { z } from "zod";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import { createFailpoint, createSeededRandom } from "../../runtime/failpoints.ts";
import { defineFunction } from "../../runtime/function.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { urlSetting } from "../../runtime/settings.ts";
import { createApi } from "./api.ts";
import { channelSettings, openChannels } from "./channels/index.ts";
import { createNotifier } from "./notifier.ts";
import { createSender } from "./sender.ts";
import { createOutbox } from "./store/outbox.ts";
import { createReader } from "./store/reader.ts";
import { createStore } from "./store/store.ts";

const config = channelSettings.safeExtend({
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
  }),
  /** Where to fail on purpose, for fault tests; see runtime/failpoints.ts. */
  AUDITFLOW_FAILPOINTS: z.string().default(""),
  AUDITFLOW_FAILPOINTS_SEED: z.coerce.number().int().optional(),
  /** Connections to PostgreSQL at most, besides the sender's one. */
  AUDITFLOW_POSTGRES_CONNECTIONS: z.coerce.number().int().min(1).max(100).default(4),
});

/** Keeps alerts, joins them into episodes, tells people, and keeps what could not be handled. */
export const notification = defineFunction({
  name: "notification",
  accepts: [alertRaised, eventRejected],
  emits: [],
  deliveryPaths: ["/dead-letters"],
  config,
  async start({ config, log, metrics, health, now, random }) {
    await using opening = new AsyncDisposableStack();
    const {
      DATABASE_URL: url,
      AUDITFLOW_POSTGRES_CONNECTIONS: max,
      AUDITFLOW_FAILPOINTS_SEED: seed,
    } = config;
    const dependency = health.dependency("postgres", {
      impairs: ["storing alerts", "the alert API", "telling people"],
    });
    const postgres = opening.use(
      await openPostgres({ url, max, name: "notification", health: dependency, log }),
    );
    // A connection of its own: marks that wait for a busy pool make a lease run out, and a message go twice.
    const senderPostgres = opening.use(await openPostgres({ url, max: 1, name: "notification-sender", log }));
    const failpoint = createFailpoint(config.AUDITFLOW_FAILPOINTS, {
      random: seed === undefined ? random : createSeededRandom(seed),
      onFire: (name, kind) => log.warn({ name, kind }, "failpoint"),
    });
    const channels = openChannels(config, { now, log });
    const sender = opening.use(
      createSender({ outbox: createOutbox(senderPostgres), channels, log, metrics, random, failpoint }),
    );
    const store = createStore({
      postgres,
      metrics,
      channels: [...channels.keys()],
      onOutbox: () => sender.wake(),
      failpoint,
    });
    opening.defer(() => store.drain());
    const stopping = new AbortController();
    opening.defer(() => stopping.abort());
    const api = createApi({ reader: createReader(postgres), store, sender, log, stopping: stopping.signal });
    sender.wake();
    const opened = opening.move();
    return {
      handle: createNotifier(store),
      fetch: api.fetch,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
