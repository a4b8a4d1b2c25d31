import { type Failpoint, noFailpoint } from "../../../runtime/failpoints.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { FunctionHost } from "../../../runtime/function.ts";
import type { OpenChannel } from "../channels/channel.ts";
import { createCalls } from "./calls.ts";
import type { CircuitPolicy, CircuitView } from "./circuit.ts";
import { createCrew } from "./crew.ts";
import { createPasses, type Reason } from "./passes.ts";
import type { BackoffPolicy } from "./policy.ts";
import type { DeliveryStore } from "./store.ts";

export interface WorkerPolicy extends BackoffPolicy, CircuitPolicy {
  /** Attempts under way at once on one channel. */
  readonly limit: number;
  /** Longer than an attempt and the writing of its outcome: what outlives its lease is sent again. */
  readonly leaseMs: number;
  /** An attempt that takes longer is given up. */
  readonly attemptMs: number;
  /** How often is looked when nothing else says so. */
  readonly pollMs: number;
  /** How often what is beyond its horizon is looked for. */
  readonly sweepMs: number;
  /** How long one call of `run` may take. */
  readonly runMs: number;
  /** How long a process that stops goes on delivering what is due, and how long it waits for attempts. */
  readonly flushMs: number;
  readonly closeMs: number;
}

export const standardPolicy: WorkerPolicy = {
  limit: 8,
  leaseMs: 30_000,
  attemptMs: 20_000,
  firstBackoffMs: 1000,
  maxBackoffMs: 3_600_000,
  breakAfter: 10,
  firstBreakMs: 5000,
  maxBreakMs: 300_000,
  pollMs: 5000,
  sweepMs: 10_000,
  runMs: 20_000,
  flushMs: 4000,
  closeMs: 12_000,
};

/** What decides on deliveries that are due later: grouped messages, repeats, escalations, digests. */
export interface Flusher {
  /** Writes what is due as deliveries; answers how many. */
  run(): Promise<number>;
  /** Milliseconds until something is due. */
  nextDue(): Promise<number | undefined>;
}

export interface WorkerDeps extends Pick<FunctionHost<unknown>, "log" | "metrics" | "random" | "now"> {
  readonly store: DeliveryStore;
  /** The channels there are now, by name; asked anew all the time, so it must be cheap. */
  readonly channels: () => ReadonlyMap<string, OpenChannel>;
  readonly flusher?: Flusher;
  /** Called after a commit that put events into the outbox. */
  readonly onOutbox?: () => void;
  readonly failpoint?: Failpoint;
  readonly policy?: Partial<WorkerPolicy>;
  /** A clock that never jumps, in milliseconds. */
  readonly elapsed?: () => number;
}

/** Delivers what is due, at least once, under the same id each time. */
export interface Worker extends AsyncDisposable {
  /** Looks for what is due soon; returns at once. */
  wake(): void;
  /** Delivers all that is due; answers how many attempts were made. Rejects when the database is away. */
  run(): Promise<number>;
  /** Whether the receivers are thought to be there, by channel. */
  circuits(): ReadonlyMap<string, CircuitView>;
}

/**
 * The worker: several channels in parallel, a bounded number of attempts on each, and no channel waits for
 * another. Nothing is claimed that cannot be begun at once, and before anything is claimed all outcomes
 * known by then are written. Disposing it delivers what is due, waits for what is under way, and then stops.
 */
export function createWorker(deps: WorkerDeps): Worker {
  const { log, elapsed = () => performance.now(), failpoint = noFailpoint } = deps;
  const policy = { ...standardPolicy, ...deps.policy };
  const aborting = new AbortController();
  const state = { isClosing: false };
  const calls = createCalls(log);
  const passes = createPasses({
    pass,
    pollMs: policy.pollMs,
    elapsed,
    onRest: () => void settle(),
    onFailure: (error) => calls.fail(error),
  });
  const crew = createCrew({
    ...deps,
    policy,
    elapsed,
    failpoint,
    aborting: aborting.signal,
    isClosing: () => state.isClosing,
    lookIn: (ms) => passes.lookIn(ms),
    onFailure: (error) => calls.fail(error),
    onEnd() {
      if (crew.mayWait() && !state.isClosing) passes.ask("more");
      settle();
    },
  });

  const flush = createFlush(deps);
  const sweep = atMostEvery(policy.sweepMs, elapsed, () => crew.sweep());

  const isAtRest = () => passes.isResting() && crew.inFlight() === 0;
  const settle = () => isAtRest() && calls.settle(crew.attempts());

  async function pass(reason: Reason): Promise<void> {
    if (reason === "look") await sweep().then(() => flush.run());
    // An earlier pass may have found out that nothing is left.
    else if (!crew.mayWait()) return;
    await crew.claimAll();
    if (crew.mayWait() || state.isClosing) return;
    passes.lookIn(Math.min(...[await crew.nextDue(), await flush.nextDue()].map((ms) => ms ?? Infinity)));
  }

  function run(forMs: number): Promise<number> {
    const answer = calls.add(crew, forMs);
    passes.ask("look");
    return answer;
  }

  return {
    wake() {
      if (!state.isClosing) passes.ask("look");
    },
    run: () => run(policy.runMs),
    circuits: () => crew.circuits(),
    async [Symbol.asyncDispose]() {
      passes.stop();
      const deadline = setTimeout(() => aborting.abort(), policy.closeMs);
      await run(policy.flushMs).catch(() => 0);
      state.isClosing = true;
      while (!isAtRest()) await calls.add(crew).catch(() => undefined);
      clearTimeout(deadline);
      aborting.abort();
    },
  };
}

/**
 * Writes what is due by now as deliveries. Deliveries that are there go also when that fails; what could not
 * be written is due all the time then, so that it is left to the next regular look.
 */
function createFlush({ flusher, log }: Pick<WorkerDeps, "flusher" | "log">) {
  let isFailing = false;
  return {
    async run(): Promise<void> {
      try {
        await flusher?.run();
        isFailing = false;
      } catch (error) {
        if (error instanceof UnavailableError) throw error;
        isFailing = true;
        log.error({ err: error }, "messages that are due cannot be written");
      }
    },
    nextDue: async () => (isFailing ? undefined : await flusher?.nextDue()),
  };
}

/** The work, at the first call and then no more often than that; when it fails, at the next call. */
function atMostEvery(everyMs: number, elapsed: () => number, work: () => Promise<void>): () => Promise<void> {
  let doneAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (elapsed() - doneAt < everyMs) return;
    await work();
    doneAt = elapsed();
  };
}
