import { parse as parseUuid, v7 } from "uuid";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import { openAccess, planAccess, usesKeys } from "../../runtime/access/open.ts";
import { defineFunction, type FunctionHost, type RunningFunction } from "../../runtime/function.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import type { Postgres } from "../../runtime/postgres/postgres.ts";
import { openState } from "../../runtime/state/open.ts";
import { createApi } from "./api.ts";
import { type GeneratorConfig, generatorConfig } from "./config.ts";
import { createControl } from "./control.ts";
import { throughBroker, throughLedger } from "./durability.ts";
import { createIntake } from "./intake.ts";
import { createPublisher } from "./publisher.ts";
import { createReceiver } from "./receive.ts";
import { createSettingsStore } from "./settings.ts";
import { createTicker } from "./ticker.ts";

type Host = FunctionHost<GeneratorConfig>;

/** Where events are kept before they are accepted, and the database that API keys are read from. */
export interface Store {
  readonly ledger: Pick<Ledger, "accept">;
  readonly postgres?: Pick<Postgres, "sql">;
}

/** Opens the store of a host; what it opens is handed to `opening`. */
export type OpenStore = (host: Host, opening: AsyncDisposableStack) => Promise<Store>;

/** The generator over some store: PostgreSQL's, except in tests. */
export function defineGenerator(openStore: OpenStore) {
  return defineFunction({
    name: "generator",
    // Nothing is delivered to it: what comes in comes from people, systems and clocks.
    accepts: [],
    emits: [auditRecorded, eventRejected],
    schedulePaths: ["/generator/tick"],
    config: generatorConfig,
    start: (host) => start(host, openStore),
  });
}

async function start(host: Host, openStore: OpenStore): Promise<RunningFunction> {
  const { config, now, log, metrics, sink, exposed } = host;
  const plan = planAccess(config, { exposed, hasDatabase: config.DATABASE_URL !== undefined });
  await using opening = new AsyncDisposableStack();
  const isKept = config.AUDITFLOW_DURABILITY === "ledger";
  const store = isKept || usesKeys(plan) ? await openStore(host, opening) : undefined;
  const access = opening.use(openAccess(plan, { ...host, postgres: store?.postgres }));
  const state = opening.use(await openState(config, host, ["synthetic traffic"]));
  const publisher = opening.use(createPublisher({ sink, metrics, log }));
  const makeDurable =
    store && isKept ? throughLedger({ ledger: store.ledger, publisher }) : throughBroker(sink);
  const intake = createIntake({ makeDurable, publisher, metrics, log, now });
  const settings = createSettingsStore({ state, now, initial: initialSettings(config) });
  const tick = createTicker({ intake, settings, now });
  const secrets = secretsOf(config);
  const receiver = createReceiver({ intake, now, newId: idsOf(host), secrets });
  const control = createControl({ settings, tick });
  const api = createApi({ receiver, control, access, signed: new Set(secrets.keys()), metrics, log });
  const opened = opening.move();
  return { fetch: (request) => api.fetch(request), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Ids for events that have none: UUIDv7, which the store can keep in order. */
function idsOf({ now, newId }: Host): () => string {
  return () => v7({ msecs: now(), random: parseUuid(newId()) });
}

function initialSettings({ AUDITFLOW_EVENT_GENERATION_INTERVAL_SECONDS: interval }: GeneratorConfig) {
  return { on: interval !== undefined, eventsPerSecond: Math.min(1 / (interval ?? 1), 500) };
}

function secretsOf({ AUDITFLOW_GITHUB_SECRET: github }: GeneratorConfig): ReadonlyMap<string, string> {
  return new Map(github === undefined ? [] : [["github", github]]);
}
