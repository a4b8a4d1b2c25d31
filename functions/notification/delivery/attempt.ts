import type { Failpoint } from "../../../runtime/failpoints.ts";
import type { Log } from "../../../runtime/log.ts";
import type { OpenChannel, Receipt } from "../channels/channel.ts";
import type { Circuit } from "./circuit.ts";
import { toDeliveryEvent } from "./events.ts";
import { afterFailure, type BackoffPolicy, type Outcome, receiptOf } from "./policy.ts";
import type { Claim, Ended } from "./store.ts";

export interface AttemptPolicy extends BackoffPolicy {
  /** Less than a lease: an attempt that outlived its lease would meet a second one. */
  readonly attemptMs: number;
}

export interface AttemptDeps {
  readonly policy: AttemptPolicy;
  readonly log: Log;
  readonly random: () => number;
  /** A clock that never jumps, in milliseconds. */
  readonly elapsed: () => number;
  readonly failpoint: Failpoint;
  /** Aborted when the process must stop at once. */
  readonly aborting: AbortSignal;
}

/** What an attempt is made with. */
export interface Means {
  readonly channel: OpenChannel;
  readonly circuit: Pick<Circuit, "execute">;
}

/** Makes one attempt and says how it ended; rejects only at a failpoint. It does not write anything. */
export function createAttempt({ policy, log, random, elapsed, failpoint, aborting }: AttemptDeps) {
  async function send({ id, message }: Claim, { channel, circuit }: Means): Promise<Receipt> {
    const signal = AbortSignal.any([aborting, AbortSignal.timeout(policy.attemptMs)]);
    return await circuit.execute(() => untilAborted(channel.send({ id, message }, signal), signal));
  }

  async function outcomeOf(claim: Claim, means: Means): Promise<Outcome> {
    const began = elapsed();
    try {
      const receipt = await send(claim, means);
      return { kind: "delivered", ...receiptOf(receipt) };
    } catch (error) {
      const { attempt } = claim;
      const leftMs = claim.leftMs - (elapsed() - began);
      return afterFailure({ attempt, error, leftMs, chance: random() }, policy);
    }
  }

  return async (claim: Claim, means: Means): Promise<Ended> => {
    const began = elapsed();
    const outcome = await outcomeOf(claim, means);
    const durationMs = elapsed() - began;
    await failpoint("notification-after-post");
    const ended = { claim, outcome, startedAt: claim.claimedAt, durationMs };
    return { ...ended, event: eventOf(ended, { type: means.channel.type, log }) };
  };
}

/** An event that its contract does not admit must not keep what became of the delivery from being written. */
function eventOf(
  { claim, outcome, startedAt, durationMs }: Omit<Ended, "event">,
  { type, log }: { readonly type: string; readonly log: Log },
): Ended["event"] {
  try {
    return toDeliveryEvent({
      deliveryId: claim.id,
      alertIds: claim.alertIds,
      channel: claim.channel,
      channelType: type,
      attempt: claim.attempt,
      outcome,
      endedAt: startedAt + durationMs,
      durationMs,
    });
  } catch (error) {
    log.error({ err: error, delivery: claim.id }, "a delivery cannot be told of as an event");
    return undefined;
  }
}

/** What was asked for, or the signal's reason: a channel that does not heed the signal is not waited for. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
