import type { Message } from "../../events/broker/broker.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { Wiring } from "../../events/broker/topology.ts";
import { deriveUuid } from "../../events/identity.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { Log } from "../../runtime/log.ts";
import { digestOf } from "../../runtime/ledger/stored-event.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { createTables } from "./alert-tables.ts";
import { createBrokerHouse } from "./broker-house.ts";
import { type Accept, createSimulatedSink } from "./broker.ts";
import { createChance } from "./chance.ts";
import { createDatabase, keyOf, type World } from "./database.ts";
import { type Counts, createFaults } from "./faults.ts";
import { createFleet } from "./fleet.ts";
import {
  startAnalysis,
  startGenerator,
  startNotification,
  type Subscriber,
  type Surroundings,
} from "./functions.ts";
import { judge, type Judgement, lostMessages } from "./judge.ts";
import { createNetwork, type Service } from "./network.ts";
import type { Plants } from "./plants.ts";
import { createScheduler } from "./scheduler.ts";
import { createStateServer } from "./state-server.ts";
import { createGroupLocks } from "./store.ts";
import { planTraffic, sendTraffic } from "./traffic.ts";
import { installVirtualGlobals } from "./virtual-globals.ts";

/** What all runs share; nothing in it changes by what a run does, but the metrics, which nobody reads back. */
export interface Setting {
  readonly ruleSet: RuleSet;
  readonly wiring: Wiring;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface RunOptions extends Setting {
  readonly seed: number;
  readonly plants?: Plants;
  readonly onStep?: (line: string) => void;
}

export interface Run extends Judgement {
  readonly fingerprint: number;
  readonly steps: number;
  readonly faults: Counts;
  /** Passes of the failpoints that failed, by name and kind. */
  readonly failpoints: ReadonlyMap<string, number>;
  /** Dead letters by their code. */
  readonly deadLetters: ReadonlyMap<string, number>;
  readonly reconciled: number;
  readonly redelivered: number;
}

const startAt = Date.UTC(2026, 10, 21, 12, 0, 0);

/** Plays the story of a seed from the first event to the last retry, and judges what is left. */
export async function run(options: RunOptions): Promise<Run> {
  const chance = createChance(options.seed);
  const scheduler = createScheduler({ chance, startAt, onStep: options.onStep });
  using _globals = installVirtualGlobals(scheduler, chance.random);
  const world: World = { scheduler, chance, faults: createFaults(chance) };
  return await scheduler.drive(() => play(options, world));
}

async function play(options: RunOptions, world: World): Promise<Run> {
  const { scheduler, chance, faults } = world;
  const stage = build(options, world);
  const lengthMs = chance.between(20, chance.pick([60, 240, 900])) * 1000;
  const planned = planTraffic(chance, { startAt, lengthMs });
  const monkey = scheduler.spawn("monkey");
  const sending = sendTraffic({ world, ...stage, generator: stage.generators.service }, planned);
  monkey.run(() => void causeTrouble(world, stage, lengthMs));
  const clock = scheduler.spawn("clock");
  clock.run(() => void reconcileEveryMinute(world, stage));

  await scheduler.sleep(lengthMs);
  faults.stop();
  for (const fleet of [stage.analyses, stage.notifications, stage.generators]) fleet.bringBack();
  await sending;
  const hasSettled = await settle(world, stage);
  const judgement = await judge({
    ...stage,
    ruleSet: options.ruleSet,
    counts: await stage.database.contents.counts(),
  });
  return {
    ...judgement,
    violations: [...judgement.violations, ...(hasSettled ? [] : ["settled: there is still something to do"])],
    fingerprint: scheduler.fingerprint(),
    steps: scheduler.steps(),
    faults: faults.counts,
    failpoints: stage.failpointHits,
    deadLetters: countsOf([...stage.tables.deadLetters.values()].map(({ code }) => code)),
    reconciled: stage.tally.reconciled,
    redelivered: stage.tally.redelivered,
  };
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

type Stage = ReturnType<typeof build>;

/** Servers, broker and fleets, started and wired. */
function build({ ruleSet, wiring, metrics, log, plants = {}, seed }: RunOptions, world: World) {
  const { chance } = world;
  const network = createNetwork(world);
  const database = createDatabase(world);
  const stateServer = createStateServer(world, plants.state);
  const tables = createTables();
  const told = new Map<string, Set<string>>();
  const failpointHits = new Map<string, number>();
  const emissions = new Map<string, Set<string>>();
  const tally = { reconciled: 0, redelivered: 0 };
  let ids = 0;
  const newId = () => deriveUuid("simulated", String(seed), String((ids += 1)));

  const ingress: Service<Accept> = { name: "ingress", replicas: [] };
  const sink = createSimulatedSink(world, { network, ingress });
  const around: Surroundings = {
    world,
    database: plants.database?.(database, world) ?? database,
    tables,
    locks: plants.locks ?? createGroupLocks(world),
    state: stateServer.state,
    sink,
    ruleSet,
    metrics,
    log,
    newId,
    told: (id, text) => void told.set(id, (told.get(id) ?? new Set()).add(text)),
    delivered: (event) => {
      // The record of a refusal tells the headers of one delivery, and is the same for all of them.
      if (event.type !== alertRaised.type) return;
      const key = keyOf(event);
      emissions.set(key, (emissions.get(key) ?? new Set()).add(digestOf(event).toString("hex")));
    },
    failpointHits,
    plants,
  };
  const fleet = <Handler>(name: string, replicas: number, start: (around: Surroundings) => Handler) =>
    createFleet(world, { name, replicas, start: () => start(around) });
  const analyses = fleet("analysis", chance.between(1, 3), startAnalysis);
  const notifications = fleet("notification", chance.between(1, 2), startNotification);
  const generators = fleet("generator", 1, startGenerator);
  const subscribers = new Map<string, Service<Subscriber>>([
    ["analysis", analyses.service],
    ["notification", notifications.service],
  ]);
  const books = { published: new Set<Message>(), delivered: new Set<Message>() };
  const deps = { world, network, subscribers, wiring, books, newId, plants, tally };
  const broker = createBrokerHouse(deps, ingress);
  broker.start();
  return {
    analyses,
    notifications,
    generators,
    network,
    database,
    stateServer,
    tables,
    broker,
    books,
    sink,
    newId,
    told,
    failpointHits,
    tally,
    plants,
    emissions,
    acknowledged: new Set<string>(),
  };
}

/** Faults that belong to no request: something dies, or loses its memory, every few seconds. */
async function causeTrouble(
  { scheduler, chance, faults }: World,
  stage: Stage,
  lengthMs: number,
): Promise<void> {
  const { analyses, notifications, generators, broker, stateServer } = stage;
  while (!faults.areOver()) {
    await scheduler.sleep(chance.between(500, Math.max(6000, lengthMs / 8)));
    if (faults.strikes("state lost")) stateServer.lose();
    if (faults.strikes("replica killed")) chance.pick([analyses, notifications, generators]).killOne();
    if (faults.strikes("service away for long")) {
      chance.pick([analyses, notifications]).takeAway(chance.between(100, 400) * 1000);
    }
    if (faults.strikes("broker connection lost")) broker.disconnect();
    if (faults.strikes("broker drained")) broker.drain();
    if (faults.strikes("broker killed, queues kept")) broker.kill({ keepQueues: true });
    if (faults.strikes("broker killed, queues lost")) broker.kill({ keepQueues: false });
  }
}

async function reconcileEveryMinute({ scheduler }: World, stage: Stage): Promise<void> {
  const { network, analyses, tally, plants } = stage;
  for (;;) {
    await scheduler.sleep(60_000);
    if (plants.withoutReconciler) continue;
    const done = await network({
      to: analyses.service,
      label: "reconciliation",
      use: ({ reconcile }) => reconcile(),
      timeoutMs: 55_000,
    }).catch(() => undefined);
    tally.reconciled += (done?.events ?? 0) + (done?.detections ?? 0);
  }
}

/** Longer than any message is retried before it is a dead letter, every attempt ending at its deadline. */
const patienceMs = 600_000;
const mostMinutes = 600;

/** Waits until nothing is left to do. */
async function settle({ scheduler }: World, stage: Stage): Promise<boolean> {
  let since: number | undefined;
  for (let minute = 0; minute < mostMinutes; minute += 1) {
    await scheduler.sleep(60_000);
    if (!(await isQuiet(stage))) {
      since = undefined;
      continue;
    }
    since ??= scheduler.now();
    if (lostMessages(stage).length === 0 || scheduler.now() - since > patienceMs) return true;
  }
  return false;
}

async function isQuiet({ database, tables }: Stage): Promise<boolean> {
  const { pending } = await database.contents.counts();
  const unstored = await database.contents.unstored();
  const untold = [...tables.deliveries.values()].some(({ status }) => status === "pending");
  return pending === 0 && unstored.length === 0 && !untold && database.contents.timers() === 0;
}
