import { z } from "zod";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import type { Event } from "../../events/event.ts";
import type { EncodedMessage } from "../../events/http-message.ts";
import { createEvaluate } from "../../functions/analysis/correlation/evaluate.ts";
import { createPreparation } from "../../functions/analysis/correlation/preparation.ts";
import { createRestore } from "../../functions/analysis/correlation/rebuild.ts";
import { createReplays } from "../../functions/analysis/correlation/replays.ts";
import { createSettlement } from "../../functions/analysis/correlation/settlement.ts";
import { createDetector } from "../../functions/analysis/detector.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import { ChannelError, type Send } from "../../functions/notification/channels/channel.ts";
import { fromUndeliverable } from "../../functions/notification/dead-letters/dead-letter.ts";
import { createNotifier } from "../../functions/notification/notifier.ts";
import { createWorker } from "../../functions/notification/delivery/worker.ts";
import { throughLedger } from "../../functions/generator/durability.ts";
import { createIntake, type Receipt } from "../../functions/generator/intake.ts";
import { fromAuditEvent } from "../../functions/generator/normalise.ts";
import { createPublisher } from "../../functions/generator/publisher.ts";
import type { Answer } from "../../runtime/answer.ts";
import { createDeliveryRoute } from "../../runtime/delivery.ts";
import { defineFunction, type Sink } from "../../runtime/function.ts";
import { createReconciler, type Reconciled } from "../../runtime/ledger/reconciler.ts";
import type { Log } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { State } from "../../runtime/state/state.ts";
import { channel, type Tables } from "./alert-tables.ts";
import type { Database, World } from "./database.ts";
import { createFailpoints } from "./failpoints.ts";
import type { Plants } from "./plants.ts";
import { createMemoryDeliveries, createStore, type GroupLocks } from "./store.ts";

/** What every process of the system is started with. */
export interface Surroundings {
  readonly world: World;
  readonly database: Database;
  readonly tables: Tables;
  readonly locks: GroupLocks;
  readonly state: State;
  readonly sink: Sink;
  readonly ruleSet: RuleSet;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly newId: () => string;
  /** What people are told: the id and the text of each message that arrived. */
  readonly told: (id: string, text: string) => void;
  /** Told every event that reaches notification. */
  readonly delivered: (event: Event) => void;
  readonly failpointHits: Map<string, number>;
  readonly plants: Plants;
}

const latenessMs = 15_000;

/** Serves what a broker delivers, on each path. */
export interface Subscriber {
  readonly deliver: (path: string, message: EncodedMessage) => Promise<Answer>;
}

export interface Analysis extends Subscriber {
  readonly reconcile: () => Promise<Reconciled>;
}

/** A replica of the analysis function, wired as function.ts does it. */
export function startAnalysis(around: Surroundings): Analysis {
  const { world, database, state, ruleSet, metrics, log, plants } = around;
  const { now } = world.scheduler;
  const ledger = plants.analysisLedger?.(database.ledger) ?? database.ledger;
  const restore = createRestore({ state, ledger, now, latenessMs, metrics, log });
  const preparation = createPreparation({ state, restore, log });
  preparation.prepare(ruleSet);
  const replays = createReplays({ ledger });
  const evaluate = createEvaluate({ state, restore, replays, latenessMs, now, metrics });
  const failpoint = createFailpoints(world, around.failpointHits);
  const rules = () => ruleSet;
  const maxGroups = 100_000;
  const judging = { rules, ledger, evaluate, state, maxGroups, floodLimit: 0 };
  const detect = createDetector({ ...judging, failpoint, log, metrics });
  const route = openRoute(around, {
    definition: { name: "analysis", accepts: [auditRecorded], emits: [alertRaised] },
    handle: detect,
  });
  const { sink } = around;
  const settle = createSettlement({ rules, ledger, replays, sink, limit: 500, log, metrics });
  const reconcile = createReconciler({ ledger, sink, olderThanMs: 120_000, limit: 500, metrics });
  return {
    deliver: (_path, message) => route.answer({ ...message, truncated: false }),
    async reconcile() {
      const [settled] = await Promise.allSettled([settle()]);
      const reconciled = await reconcile();
      if (settled.status === "rejected") throw settled.reason;
      return reconciled;
    },
  };
}

/** A replica of the notification function; its store keeps maps in place of tables. */
export function startNotification(around: Surroundings): Subscriber {
  const { world, database, tables, locks, metrics, log } = around;
  const failpoint = createFailpoints(world, around.failpointHits);
  const { random } = world.chance;
  const webhook = { name: channel, type: channel, send: createWebhook(around) };
  const worker = createWorker({
    store: createMemoryDeliveries({ world, database, tables }),
    channels: () => new Map([[channel, webhook]]),
    log,
    metrics,
    random,
    now: world.scheduler.now,
    failpoint,
    policy: { pollMs: 60_000 },
  });
  const store = createStore({
    world,
    database,
    tables,
    locks,
    failpoint,
    plants: around.plants,
    onOutbox: () => worker.wake(),
  });
  const notify = createNotifier(store);
  const route = openRoute(around, {
    definition: { name: "notification", accepts: [alertRaised, eventRejected], emits: [] },
    handle: (event) => {
      around.delivered(event);
      return notify(event as Accepted);
    },
  });
  worker.wake();
  return {
    async deliver(path, message) {
      if (path !== "/dead-letters") return await route.answer({ ...message, truncated: false });
      try {
        await store.storeDeadLetter(fromUndeliverable(message.headers, message.body));
        return { status: 204, headers: {} };
      } catch {
        return { status: 503, headers: {} };
      }
    },
  };
}

/** A person's end: it counts what arrives, also when its answer is lost. */
function createWebhook({ world, told }: Surroundings): Send {
  const { scheduler, faults } = world;
  return async ({ id, message }) => {
    await scheduler.step("posts to the webhook");
    if (faults.strikes("webhook refuses")) throw new ChannelError("503", true);
    told(id, JSON.stringify(message));
    await scheduler.step("the webhook answers");
    if (faults.strikes("answer lost")) throw new ChannelError("no answer", true);
    return { status: 204 };
  };
}

export interface Generator {
  /** `POST /events` with one audit event. */
  readonly receive: (body: object) => Promise<Receipt>;
}

/** A replica of the generator: its intake, its ledger durability and its publisher. */
export function startGenerator(around: Surroundings): Generator {
  const { world, database, sink, metrics, log, newId, plants } = around;
  const { now } = world.scheduler;
  const publisher = createPublisher({ sink, metrics, log });
  const durable = throughLedger({ ledger: database.ledger, publisher });
  const makeDurable = plants.makeDurable?.(durable) ?? durable;
  const intake = createIntake({ makeDurable, publisher, metrics, log, now });
  return {
    async receive(body) {
      const message = { headers: {}, body: Buffer.from(JSON.stringify(body)) };
      const { event_id: id } = { event_id: undefined, ...body };
      const [receipt] = await intake({
        read: () => [fromAuditEvent(body, { receivedAt: now(), newId })],
        refused: () => ({ event: { id }, message }),
      });
      if (!receipt) throw new Error("There was no receipt.");
      return receipt;
    },
  };
}

/** What the route let pass. */
type Accepted = Parameters<ReturnType<typeof createNotifier>>[0];

type Route = Parameters<typeof createDeliveryRoute>[0];

function openRoute(
  { world, sink, log, metrics, newId }: Surroundings,
  part: {
    readonly definition: Pick<Route["definition"], "name" | "accepts" | "emits">;
    readonly handle: Route["handle"];
  },
) {
  const definition = defineFunction({
    ...part.definition,
    config: z.unknown(),
    start: () => Promise.reject(new Error("It is started by hand.")),
  });
  const randomHex = (bytes: number) =>
    newId()
      .replaceAll("-", "")
      .slice(0, bytes * 2);
  const { now } = world.scheduler;
  return createDeliveryRoute({ ...part, definition, sink, log, metrics, now, randomHex, timeoutMs: 20_000 });
}
