import { type Failpoint, noFailpoint } from "../../../runtime/failpoints.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { FunctionHost } from "../../../runtime/function.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { createLookout } from "./lookout.ts";
import { type Claimed, createEventOutbox, type EventOutbox } from "./outbox.ts";

export interface RelayDeps extends Pick<FunctionHost<unknown>, "sink" | "log" | "metrics" | "random"> {
  readonly postgres: Pick<Postgres, "sql">;
  readonly failpoint?: Failpoint;
  readonly policy?: Partial<RelayPolicy>;
}

interface RelayPolicy {
  /** Events of one claim, all offered to the broker at once. */
  readonly limit: number;
  /** How long one event may be offered to the broker; well below the lease. */
  readonly sendMs: number;
  /** Whoever dies with a claim leaves it to the others after this. */
  readonly leaseMs: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** How often the outbox is looked at when nothing else says so. */
  readonly pollMs: number;
  /** How long what is left may take to be sent when the process stops. */
  readonly closeMs: number;
}

const standard: RelayPolicy = {
  limit: 32,
  sendMs: 15_000,
  leaseMs: 45_000,
  firstBackoffMs: 1000,
  maxBackoffMs: 10 * 60_000,
  pollMs: 5000,
  closeMs: 5000,
};

/** Sends the outbox to the broker. Disposing it sends what is due, as far as its time allows. */
export interface Relay extends AsyncDisposable {
  /** Looks into the outbox soon; returns at once. */
  wake(): void;
  /** Sends all that is due; answers how many events the broker confirmed. Rejects while PostgreSQL is away. */
  run(): Promise<number>;
}

/**
 * A relay of events that were written in the transaction of what they tell of. At least once, and always
 * under the same id: a process that dies between the broker's confirm and the removal sends it again. In
 * no promised order: readers order the events of an alert by its `revision`. An event is never given up.
 * Any number of relays share the work.
 */
export function createRelay(deps: RelayDeps): Relay {
  const { log, metrics } = deps;
  const policy = { ...standard, ...deps.policy };
  const outbox = createEventOutbox(deps.postgres);
  const stopping = new AbortController();
  const relayClaim = createRound({ ...deps, outbox, policy, signal: stopping.signal });
  let current: Promise<number> | undefined;
  let isBrokerAway = false;

  async function drainOutbox(): Promise<number> {
    let confirmed = 0;
    while (!stopping.signal.aborted) {
      const { claimed, sent, failed } = await relayClaim();
      confirmed += sent;
      isBrokerAway = claimed === policy.limit && failed > 0 && sent === 0;
      if (claimed < policy.limit || isBrokerAway) break;
    }
    return confirmed;
  }

  /** One run at a time; who asks meanwhile gets one that begins afterwards. */
  async function run(): Promise<number> {
    const before = current;
    const mine = (async () => {
      await before?.catch(() => 0);
      return drainOutbox();
    })();
    current = mine;
    return mine;
  }

  const lookout = createLookout({
    pollMs: policy.pollMs,
    async look() {
      await run();
      const { depth, dueMs } = await outbox.look();
      metrics.outboxEvents.set(depth);
      // When a whole claim failed, what else is due would fare no better.
      return isBrokerAway ? policy.pollMs : dueMs;
    },
    onFailure: (error) => log.debug({ err: error }, "the outbox is away"),
  });
  return {
    wake: () => lookout.wake(),
    run,
    async [Symbol.asyncDispose]() {
      const deadline = setTimeout(() => stopping.abort(), policy.closeMs);
      await Promise.allSettled([lookout.stop(), current]);
      await drainOutbox().catch((error: unknown) =>
        log.debug({ err: error }, "events are left for the next"),
      );
      stopping.abort();
      clearTimeout(deadline);
    },
  };
}

interface RoundDeps extends SendDeps, Pick<RelayDeps, "log" | "failpoint"> {
  readonly outbox: EventOutbox;
}

/** Claims some events, offers them to the broker, and writes down what came of it. */
function createRound({ outbox, log, failpoint = noFailpoint, ...deps }: RoundDeps) {
  const send = createSend(deps);
  const report = createReport(log);
  const wait = (attempt: number) => backoffMs(attempt, deps.random(), deps.policy);

  return async (): Promise<Record<"claimed" | "sent" | "failed", number>> => {
    const { events, unreadable } = await outbox.claim(deps.policy);
    for (const { id, error } of unreadable) {
      log.error({ err: error, outbox: id }, "an event in the outbox cannot be read and stays");
    }
    const outcomes = await Promise.all(events.map(send));
    await failpoint("outbox-after-send");
    const sent = outcomes.filter(({ error }) => error === undefined);
    const failed = outcomes.filter(({ error }) => error !== undefined);
    await outbox.remove(sent.map(({ claim }) => claim.id));
    await outbox.putOff([
      ...failed.map(({ claim: { id, attempt }, afterMs }) => ({ id, attempt, afterMs })),
      ...unreadable.map(({ id, attempt }) => ({ id, attempt, afterMs: wait(attempt) })),
    ]);
    report(failed[0]?.error, { failed: failed.length, sent: sent.length });
    return { claimed: events.length + unreadable.length, sent: sent.length, failed: failed.length };
  };
}

interface Outcome {
  readonly claim: Claimed;
  /** Why the broker did not confirm it. */
  readonly error?: unknown;
  readonly afterMs: number;
}

interface SendDeps extends Pick<RelayDeps, "sink" | "random"> {
  readonly policy: RelayPolicy;
  readonly signal: AbortSignal;
}

/** Offers one event; never rejects. */
function createSend({ sink, random, policy, signal }: SendDeps) {
  return async (claim: Claimed): Promise<Outcome> => {
    try {
      await sink([claim.event], AbortSignal.any([signal, AbortSignal.timeout(policy.sendMs)]));
      return { claim, afterMs: 0 };
    } catch (error) {
      // What is given up because this process ends is for the next one, at once.
      const afterMs = signal.aborted ? 0 : backoffMs(claim.attempt, random(), policy);
      return { claim, error: error ?? new Error("The sink failed without a reason."), afterMs };
    }
  };
}

/** The wait after an attempt, doubling from the first; `chance` (0 to 1) spreads many over the second half. */
export function backoffMs(
  attempt: number,
  chance: number,
  { firstBackoffMs, maxBackoffMs }: Pick<RelayPolicy, "firstBackoffMs" | "maxBackoffMs">,
): number {
  return Math.round(Math.min(maxBackoffMs, firstBackoffMs * 2 ** (attempt - 1)) * (0.5 + chance / 2));
}

/** Says once that events wait, and once that they go again. */
function createReport(log: RelayDeps["log"]) {
  let isFailing = false;
  return (error: unknown, counts: { readonly failed: number; readonly sent: number }): void => {
    if (error !== undefined && !isFailing) {
      const isOff = error instanceof UnavailableError && error.dependency === "sink";
      log.warn({ err: error, ...counts }, isOff ? "events wait for a sink" : "events wait for the broker");
    }
    if (error === undefined && isFailing && counts.sent > 0) log.info(counts, "events are sent again");
    if (error !== undefined || counts.sent > 0) isFailing = error !== undefined;
  };
}
