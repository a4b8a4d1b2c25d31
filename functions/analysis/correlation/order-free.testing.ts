import { array, constantFrom, integer, nat, option, record } from "fast-check";
import type { Arbitrary } from "fast-check";
import { pino } from "pino";
import { expect } from "vitest";

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../../events/envelope.ts";
import type { Event } from "../../../events/event.ts";
import { toInstant } from "../../../events/time.ts";
import type { Failpoint } from "../../../runtime/failpoints.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../../runtime/ledger/memory.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import type { State } from "../../../runtime/state/state.ts";
import { createDetector } from "../detector.ts";
import { compileRules } from "../rules/compile.ts";
import { createEvaluate } from "./evaluate.ts";
import { justified, outcomeOf } from "./outcome.testing.ts";
import { createRestore } from "./rebuild.ts";
import { createReplays } from "./replays.ts";

const text = `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Burst of one user
id: burst
correlation: {type: event_count, rules: [failed-login], group-by: [user_id], timespan: 10s, condition: {gte: 3}}
---
title: Pair on one host
id: pair
correlation: {type: event_count, rules: [failed-login], group-by: [server_hostname], timespan: 4s, condition: {gte: 2}}
`;
const ruleSet = compileRules([{ file: "order-free.yml", text }]).ruleSet;
const latenessMs = 15_000;
const log = pino({ level: "silent" });

/** One way a set of events reaches the detectors. */
export interface Story {
  readonly events: readonly { readonly user: number; readonly host: number; readonly half: number }[];
  /** Deliveries by index of the event; each event that is missing is delivered at the end. */
  readonly deliveries: readonly Planned[];
  readonly replicas: number;
  /** How many deliveries are under way at once. */
  readonly parallel: number;
  /** How long each operation on state and ledger takes, in turns of the event loop's microtasks, in a cycle. */
  readonly delays: readonly number[];
}

/** How often a story's faults really hit; a fault test without it is no evidence. */
export interface Coverage {
  readonly crashes: number;
  readonly unavailable: number;
  readonly losses: number;
  readonly late: number;
  readonly rebuilds: number;
  readonly alerts: number;
}

interface Planned {
  readonly event: number;
  readonly replica: number;
  /** Where this delivery dies; it comes again later. */
  readonly crash: Crash | null;
  /** What happens to the state while this delivery is under way. */
  readonly loss: number | null;
}

const crashes = [
  ["accept", "after"],
  ["after-accept", "before"],
  ["after-window", "before"],
  ["record", "before"],
  ["record", "after"],
  ["after-record", "before"],
  ["before-answer", "before"],
] as const;
type Crash = (typeof crashes)[number];

/**
 * Times in half seconds, in bursts that tie and that leave gaps longer than a window, up to 40 s apart
 * and so beyond the lateness of 15 s in many orders; sometimes an hour ago.
 */
const half = integer({ min: 0, max: 11 }).chain((burst) =>
  burst === 11 ? integer({ min: -7204, max: -7196 }) : nat({ max: 8 }).map((offset) => burst * 7 + offset),
);

/** `losses`: how many ways of losing its memory the state has. */
export function story(losses: number): Arbitrary<Story> {
  const events = array(record({ user: nat({ max: 1 }), host: nat({ max: 1 }), half }), {
    minLength: 1,
    maxLength: 16,
  });
  const planned = record({
    event: nat({ max: 15 }),
    replica: nat({ max: 3 }),
    crash: option(constantFrom(...crashes), { freq: 2 }),
    loss: option(nat({ max: losses - 1 }), { freq: 12 }),
  });
  return record({
    events,
    deliveries: array(planned, { maxLength: 30 }),
    replicas: integer({ min: 1, max: 4 }),
    parallel: integer({ min: 1, max: 6 }),
    delays: array(nat({ max: 5 }), { minLength: 1, maxLength: 20 }),
  });
}

/** The state under test and the ways it can lose its memory; given fresh to every story. */
export interface Subject {
  readonly state: State;
  readonly losses: readonly (() => Promise<void>)[];
}

/** Plays a story, and expects what was raised to be what the final set of events justifies. */
export async function play(story: Story, { state: given, losses }: Subject): Promise<Coverage> {
  const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  const events = story.events.map((_, index) => toEvent(story, index, base));
  const delay = createDelay(story.delays);
  const state = delayed(given, delay, ["window", "confirm", "confirmLate", "isCurrent", "rebuild"]);
  const ledger = delayed(createMemoryLedger({ now: Date.now }), delay, ["accept", "record"]);
  const metrics = createMetrics("order-free");
  const replicas = Array.from({ length: story.replicas }, () => createReplica({ state, ledger, metrics }));
  const answered: Event[] = [];
  const hits = { crashes: 0, unavailable: 0, losses: 0 };

  async function deliver({ event, replica, crash, loss }: Planned): Promise<readonly Planned[]> {
    const delivered = events[event % events.length];
    const detect = replicas[replica % replicas.length]?.(failAt(crash));
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

  const all = story.events.map((_, event) => ({ event, replica: event, crash: null, loss: null }));
  let queue: readonly Planned[] = [...story.deliveries, ...all];
  while (queue.length > 0) {
    const under = queue.slice(0, story.parallel);
    const again = await Promise.all(under.map(deliver));
    queue = [...queue.slice(story.parallel), ...again.flat()];
  }

  const expected = justified(events, ruleSet);
  const recorded = await ledger.unstored({ olderThanMs: 0, limit: 10_000 });
  expect(outcomeOf(recorded), "what is recorded").toEqual(expected);
  expect(outcomeOf(answered), "what was answered").toEqual(expected);
  expect(await ledger.counts()).toMatchObject({ pending: 0, rejected: 0 });
  return {
    ...hits,
    late: await valueOf(metrics.eventsLate),
    rebuilds: await valueOf(metrics.stateRebuilds),
    alerts: Object.keys(expected.alerts).length,
  };
}

async function valueOf(counter: Metrics["eventsLate"]): Promise<number> {
  return (await counter.get()).values[0]?.value ?? 0;
}

/** Sums up what the stories of a run covered. */
export function createCoverage() {
  const total: Record<keyof Coverage, number> = {
    crashes: 0,
    unavailable: 0,
    losses: 0,
    late: 0,
    rebuilds: 0,
    alerts: 0,
  };
  return {
    total,
    add(coverage: Coverage): void {
      total.crashes += coverage.crashes;
      total.unavailable += coverage.unavailable;
      total.losses += coverage.losses;
      total.late += coverage.late;
      total.rebuilds += coverage.rebuilds;
      total.alerts += coverage.alerts;
    },
  };
}

/** Takes turns of the microtask queue, so that operations under way at once overtake each other. */
function createDelay(delays: readonly number[]): () => Promise<void> {
  let calls = 0;
  return async () => {
    const turns = delays[calls % delays.length] ?? 0;
    calls += 1;
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  };
}

/** The same object with operations that take a while, before and after they happen. */
function delayed<Subject extends object>(
  subject: Subject,
  delay: () => Promise<void>,
  names: readonly (keyof Subject & string)[],
): Subject {
  return new Proxy(subject, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== "function" || !names.some((known) => known === name)) return operation;
      return async (...args: unknown[]) => {
        await delay();
        const answer: unknown = await Reflect.apply(operation, target, args);
        await delay();
        return answer;
      };
    },
  });
}

class CrashError extends Error {
  override readonly name = "CrashError";
}

function failAt(crash: Crash | null): Failpoint {
  const [place, when] = crash ?? [];
  function failpoint(name: string): Promise<void>;
  function failpoint<T>(name: string, operation: () => Promise<T>): Promise<T>;
  async function failpoint(name: string, operation?: () => Promise<unknown>): Promise<unknown> {
    if (name !== place) return await operation?.();
    if (when === "after") await operation?.();
    throw new CrashError(`${when} ${name}`);
  }
  return failpoint;
}

/** A replica shares state and ledger with the others and nothing else. */
function createReplica({ state, ledger, metrics }: { state: State; ledger: Ledger; metrics: Metrics }) {
  const restore = createRestore({ state, ledger, now: Date.now, latenessMs, metrics, log });
  const replays = createReplays({ ledger });
  const evaluate = createEvaluate({ state, restore, replays, latenessMs, now: Date.now, metrics });
  const maxGroups = 100_000;
  return (failpoint: Failpoint) =>
    createDetector({ rules: () => ruleSet, ledger, evaluate, state, maxGroups, failpoint, log, metrics });
}

function toEvent({ events }: Story, index: number, base: number): Event<AuditRecorded> {
  const { user = 0, host = 0, half = 0 } = events[index] ?? {};
  return createEvent(auditRecorded, {
    id: `e${index}`,
    source: "/order-free",
    time: toInstant(base + half * 500),
    data: {
      event_type: "user_login",
      user_id: `u${user}`,
      server_hostname: `h${host}`,
      action_result: "FAILURE",
    },
  });
}
