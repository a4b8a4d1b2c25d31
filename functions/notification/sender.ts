import { type AttemptDeps, type AttemptPolicy, createAttempt } from "./attempt.ts";
import type { Outbox } from "./store/outbox.ts";

export interface SenderDeps extends AttemptDeps {
  readonly outbox: Outbox;
  readonly policy?: Partial<SenderPolicy>;
}

interface SenderPolicy extends AttemptPolicy {
  /** Deliveries under way at once. */
  readonly limit: number;
  /** Longer than any channel's timeout: a lease that ends during an attempt would cause a second one. */
  readonly leaseMs: number;
  /** How often the outbox is looked at when nothing else says so. */
  readonly pollMs: number;
  /** How long attempts under way may take to end when the process stops. */
  readonly closeMs: number;
}

/** About 11 hours of trying. */
const standard: SenderPolicy = {
  limit: 10,
  leaseMs: 30_000,
  attempts: 20,
  firstBackoffMs: 1000,
  maxBackoffMs: 3_600_000,
  pollMs: 5000,
  closeMs: 12_000,
};

/** Delivers what is in the outbox, at least once. */
export interface Sender extends AsyncDisposable {
  /** Looks into the outbox soon; returns at once. */
  wake(): void;
  /** Delivers all that is due; answers how many attempts were made. Rejects when the outbox is away. */
  run(): Promise<number>;
}

/** A sender: one run at a time, and the outcome of every attempt is written before more is claimed. */
export function createSender(deps: SenderDeps): Sender {
  const policy = { ...standard, ...deps.policy };
  const channels = [...deps.channels.keys()];
  const attempt = createAttempt(deps, policy);
  const closing = new AbortController();
  const aborting = new AbortController();
  let current: Promise<number> | undefined;
  let next: Promise<number> | undefined;

  async function drainOutbox(): Promise<number> {
    const { limit, leaseMs } = policy;
    let attempts = 0;
    while (!closing.signal.aborted && channels.length > 0) {
      const claims = await deps.outbox.claim({ channels, limit, leaseMs });
      if (claims.length === 0) break;
      await Promise.all(claims.map((claim) => attempt(claim, aborting.signal)));
      attempts += claims.length;
    }
    return attempts;
  }

  function start(): Promise<number> {
    current = drainOutbox().finally(() => (current = undefined));
    return current;
  }

  /** Whoever asks during a run gets the next one: this one may have looked too early. */
  function run(): Promise<number> {
    if (!current) return start();
    next ??= current
      .catch(() => 0)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  }

  const lookout = createLookout({
    pollMs: policy.pollMs,
    async look() {
      await run();
      return deps.outbox.nextDue(channels);
    },
    onFailure: (error) => {
      deps.log.debug({ err: error }, "the outbox is away");
      return undefined;
    },
  });
  return {
    wake: () => lookout.wake(),
    run,
    async [Symbol.asyncDispose]() {
      lookout.stop();
      closing.abort();
      const deadline = setTimeout(() => aborting.abort(), policy.closeMs);
      await current?.catch(() => 0);
      clearTimeout(deadline);
      aborting.abort();
    },
  };
}

interface LookoutDeps {
  readonly pollMs: number;
  /** Looks once; answers in how many milliseconds something is due. */
  readonly look: () => Promise<number | undefined>;
  readonly onFailure: (error: unknown) => undefined;
}

/** Looks when woken, when something is due, and now and then for what another process left behind. */
function createLookout({ pollMs, look, onFailure }: LookoutDeps) {
  let timer: NodeJS.Timeout | undefined;
  const state = { isLooking: false, isWanted: false, isStopped: false };

  async function lookOnce(): Promise<void> {
    Object.assign(state, { isLooking: true, isWanted: false });
    const dueMs = await look().catch(onFailure);
    state.isLooking = false;
    if (state.isWanted) wake();
    else if (!state.isStopped) timer = setTimeout(wake, Math.min(pollMs, dueMs ?? pollMs)).unref();
  }

  function wake(): void {
    clearTimeout(timer);
    state.isWanted = true;
    if (!state.isLooking && !state.isStopped) void lookOnce();
  }

  return {
    wake,
    stop(): void {
      state.isStopped = true;
      clearTimeout(timer);
    },
  };
}
