import { z } from "zod";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import { createFailpoint, createSeededRandom, type Failpoint } from "../../runtime/failpoints.ts";
import { defineFunction, type FunctionHost } from "../../runtime/function.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
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
  async start(host) {
    await using opening = new AsyncDisposableStack();
    const { log, metrics } = host;
    const failpoint = openFailpoint(host);
    const channels = openChannels(host.config, host);
    const postgres = opening.use(await openStorePostgres(host));
    const senderPostgres = opening.use(await openSenderPostgres(host));
    const outbox = createOutbox(senderPostgres);
    const sender = opening.use(createSender({ ...host, outbox, channels, failpoint }));
    const names = [...channels.keys()];
    const store = createStore({
      postgres,
      metrics,
      channels: names,
      onOutbox: () => sender.wake(),
      failpoint,
    });
    opening.defer(() => store.drain());
    const stopping = new AbortController();
    opening.defer(() => stopping.abort());
    const api = createApi({ reader: createReader(postgres), store, sender, log, stopping: stopping.signal });
    // What an earlier process left in the outbox.
    sender.wake();
    const opened = opening.move();
    return {
      handle: createNotifier(store),
      fetch: api.fetch,
      drain: () => stopping.abort(),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});

type Host = FunctionHost<z.infer<typeof config>>;

function openStorePostgres({ config, health, log }: Host): Promise<Postgres> {
  const { DATABASE_URL: url, AUDITFLOW_POSTGRES_CONNECTIONS: max } = config;
  const impairs = ["storing alerts", "the alert API", "telling people"];
  return openPostgres({
    url,
    max,
    name: "notification",
    health: health.dependency("postgres", { impairs }),
    log,
  });
}

/** A connection of its own: marks that wait for a busy pool let a lease run out, and a message goes twice. */
function openSenderPostgres({ config, log }: Host): Promise<Postgres> {
  return openPostgres({ url: config.DATABASE_URL, max: 1, name: "notification-sender", log });
}

function openFailpoint({ config, random, log }: Host): Failpoint {
  const { AUDITFLOW_FAILPOINTS: specification, AUDITFLOW_FAILPOINTS_SEED: seed } = config;
  return createFailpoint(specification, {
    random: seed === undefined ? random : createSeededRandom(seed),
    onFire: (name, kind) => log.warn({ name, kind }, "failpoint"),
  });
}
