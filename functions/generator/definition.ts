import { parse as parseUuid, v7 } from "uuid";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import { defineFunction, type FunctionHost, type RunningFunction } from "../../runtime/function.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
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

/** Opens the ledger of a host; what it opens is handed to `opening`. */
export type OpenLedger = (host: Host, opening: AsyncDisposableStack) => Promise<Pick<Ledger, "accept">>;

/** The generator over some ledger: PostgreSQL's, except in tests. */
export function defineGenerator(openLedger: OpenLedger) {
  return defineFunction({
    name: "generator",
    // Nothing is delivered to it: what comes in comes from people, systems and clocks.
    accepts: [],
    emits: [auditRecorded, eventRejected],
    config: generatorConfig,
    start: (host) => start(host, openLedger),
  });
}

async function start(host: Host, openLedger: OpenLedger): Promise<RunningFunction> {
  const { config, now, log, metrics, sink } = host;
  await using opening = new AsyncDisposableStack();
  const ledger = config.AUDITFLOW_DURABILITY === "ledger" ? await openLedger(host, opening) : undefined;
  const state = opening.use(await openState(config, host, ["synthetic traffic"]));
  const publisher = opening.use(createPublisher({ sink, metrics, log }));
  const makeDurable = ledger === undefined ? throughBroker(sink) : throughLedger({ ledger, publisher });
  const intake = createIntake({ makeDurable, publisher, metrics, log, now });
  const settings = createSettingsStore({ state, now, initial: initialSettings(config) });
  const tick = createTicker({ intake, settings, now });
  const receiver = createReceiver({ intake, now, newId: idsOf(host), secrets: secretsOf(config) });
  const api = createApi({ receiver, control: createControl({ settings, tick }), metrics, log });
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
