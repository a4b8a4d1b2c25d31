import { pino } from "pino";
import { expect } from "vitest";

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Event } from "../../../events/event.ts";
import type { Failpoint } from "../../../runtime/failpoints.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../../runtime/ledger/memory.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import type { State } from "../../../runtime/state/state.ts";
import { createDetector } from "../detector.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { judgingOf } from "../verdict.ts";
import { createEvaluate } from "./evaluate.ts";
import { CrashError, createDelay, delayed, failAt } from "./faulty.testing.ts";
import { covers, justified, type Outcome, outcomeOf } from "./outcome.testing.ts";
import { createRestore } from "./rebuild.ts";
import { createReplays } from "./replays.ts";
import { createSettlement, type Settle } from "./settlement.ts";
import { eventsOf, type Planned, type Story } from "./story.testing.ts";

type AuditEvent = Event<AuditRecorded>;

const latenessMs = 15_000;
const log = pino({ level: "silent" });

/** What is under test; the state, and the ways it can lose its memory, given fresh to every story. */
export interface Subject {
  readonly ruleSet: RuleSet;
  readonly state: State;
  readonly losses: readonly (() => Promise<void>)[];
  /** Whether the state forgets members of large groups, and alerts may lack them as evidence. */
  readonly isForgetful?: boolean;
  /** A fault of design, to see whether it is noticed. */
  readonly plant?: (ledger: Ledger) => Ledger;
}

/** How often a story's faults really hit; a fault test without it is no evidence. */
export interface Coverage {
  readonly crashes: number;
  readonly unavailable: number;
  readonly losses: number;
  readonly late: number;
  readonly rebuilds: number;
  readonly settled: number;
  readonly deadSettlers: number;
  readonly alerts: Outcome["alertsOf"];
}

/** Plays a story, and expects what was raised to be what the final set of events justifies. */
export async function play(story: Story, subject: Subject): Promise<Coverage> {
  const { ruleSet } = subject;
  const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  const { events, inTime, first, late } = eventsOf(story, base);
  const stage = createStage(story, subject);
  const { hits, ledger, answered, metrics } = stage;

  await stage.deliverAll(events, first);
  await stage.settleAll();
  if (story.isBusy && late.length > 0) await Promise.all([stage.deliverAll(events, late), stage.settleAll()]);
  else await stage.deliverAll(events, late);
  await stage.settleAll();

  // What can only become true is justified by all events alone.
  const isSettled = late.length > 0 && !ruleSet.correlations.every(({ id }) => isFiring(ruleSet, id));
  const expected = justified(isSettled ? [events.slice(0, inTime), events] : [events], ruleSet);
  const recorded = outcomeOf(await ledger.unstored({ olderThanMs: 0, limit: 10_000 }));
  const firing = justified([events], ruleSet, ({ id }) => isFiring(ruleSet, id));
  // What is judged while stragglers come may be justified by some of them.
  if (story.isBusy && isSettled) expect(covers(recorded, expected), "what is recorded misses").toEqual([]);
  else expectSame(recorded, expected, { of: "what is recorded", ...subject });
  expectSame(outcomeOf(answered), firing, { of: "what was answered", ...subject });
  expect(await ledger.counts()).toMatchObject({ pending: 0, rejected: 0 });
  return {
    ...hits,
    late: await valueOf(metrics.eventsLate),
    rebuilds: await valueOf(metrics.stateRebuilds),
    settled: await valueOf(metrics.timersSettled),
    alerts: expected.alertsOf,
  };
}

function expectSame(
  found: Outcome,
  expected: Outcome,
  { of, isForgetful = false }: { readonly of: string; readonly isForgetful?: boolean },
): void {
  if (!isForgetful) return expect(found, of).toEqual(expected);
  expect(Object.keys(found.alerts).toSorted(), of).toEqual(Object.keys(expected.alerts).toSorted());
  expect(covers(expected, found), `${of} without reason`).toEqual([]);
}

function isFiring(ruleSet: RuleSet, id: string): boolean {
  return judgingOf(ruleSet).parts.some((part) => part.correlation.id === id && part.mode !== "settled");
}

async function valueOf(counter: Metrics["eventsLate"] | Metrics["timersSettled"]): Promise<number> {
  return (await counter.get()).values[0]?.value ?? 0;
}

/** Replicas on one state and one ledger, and what was seen of them. */
function createStage(story: Story, { ruleSet, state: given, losses, plant }: Subject) {
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const delay = createDelay(story.delays);
  const state = delayed(given, delay, ["window", "confirm", "confirmLate", "isCurrent", "rebuild"]);
  const kept = createMemoryLedger({ now });
  const hits = { crashes: 0, unavailable: 0, losses: 0, deadSettlers: 0 };
  const dying = createDying(kept, story.settling, () => (hits.deadSettlers += 1));
  const slow = delayed(dying, delay, ["accept", "record", "dueTimers", "settle"]);
  const ledger = plant?.(slow) ?? slow;
  const metrics = createMetrics("order-free");
  const replica = () => createReplica({ state, ledger, metrics, ruleSet, now });
  const replicas = Array.from({ length: story.replicas }, replica);
  const answered: Event[] = [];

  async function deliver(events: readonly AuditEvent[], planned: Planned): Promise<readonly Planned[]> {
    const { event, replica, crash, loss } = planned;
    const delivered = events[event];
    const detect = replicas[replica % replicas.length]?.detectorWith(failAt(crash));
    if (!delivered || !detect) return [];
    try {
      if (loss !== null) await losses[loss]?.();
      if (loss !== null) hits.losses += 1;
      answered.push(...(await detect(delivered)));
      return [];
    } catch (error) {
      if (error instanceof CrashError) hits.crashes += 1;
      else if (error instanceof UnavailableError) hits.unavailable += 1;
      else throw error;
      return [{ event, replica: replica + 1, crash: null, loss: null }];
    }
  }

  return {
    hits,
    metrics,
    answered,
    ledger: kept,
    async deliverAll(events: readonly AuditEvent[], planned: readonly Planned[]): Promise<void> {
      let queue = planned;
      while (queue.length > 0) {
        const under = queue.slice(0, story.parallel);
        const again = await Promise.all(under.map((one) => deliver(events, one)));
        queue = [...queue.slice(story.parallel), ...again.flat()];
      }
    },
    /** Lets time pass until nothing is due any more. */
    async settleAll(): Promise<void> {
      for (let rounds = 0; rounds < 50; rounds += 1) {
        clock.ahead += 3_600_000;
        const results = await Promise.allSettled(replicas.map(({ settle }) => settle()));
        const failed = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
        for (const error of failed) if (!(error instanceof CrashError)) throw error;
        const left = await kept.dueTimers({ limit: 1, leaseMs: 0 });
        if (left.length === 0 && failed.length === 0) return;
      }
      throw new Error("There is always something due.");
    },
  };
}

/** A ledger on which workers die when they settle a timer. */
function createDying(ledger: Ledger, deaths: Story["settling"], onDeath: () => void): Ledger {
  let calls = 0;
  return {
    ...ledger,
    async settle(settlement) {
      const death = deaths[calls] ?? null;
      calls += 1;
      if (death !== null) onDeath();
      if (death === "before") throw new CrashError("before settle");
      const raised = await ledger.settle(settlement);
      if (death === "after") throw new CrashError("after settle");
      return raised;
    },
  };
}

interface ReplicaDeps {
  readonly state: State;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly ruleSet: RuleSet;
  readonly now: () => number;
}

const sink = async () => undefined;

/** A replica shares state and ledger with the others and nothing else. */
function createReplica({ state, ledger, metrics, ruleSet, now }: ReplicaDeps) {
  const rules = () => ruleSet;
  const restore = createRestore({ state, ledger, now: Date.now, latenessMs, metrics, log });
  const replays = createReplays({ ledger });
  const evaluate = createEvaluate({ state, restore, replays, latenessMs, now, metrics });
  const detector = { floodLimit: 0, rules, ledger, evaluate, state, maxGroups: 100_000, log, metrics };
  const settle: Settle = createSettlement({ rules, ledger, replays, sink, limit: 60, log, metrics });
  return { settle, detectorWith: (failpoint: Failpoint) => createDetector({ ...detector, failpoint }) };
}
