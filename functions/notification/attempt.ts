import { ExponentialBackoff, handleAll, retry } from "cockatiel";

import { type Failpoint, noFailpoint } from "../../runtime/failpoints.ts";
import type { FunctionHost } from "../../runtime/function.ts";
import { ChannelError, type Send } from "./channels/channel.ts";
import type { Claim, Outbox, Result } from "./store/outbox.ts";

export interface AttemptDeps extends Pick<FunctionHost<unknown>, "log" | "metrics" | "random"> {
  readonly outbox: Pick<Outbox, "mark">;
  readonly channels: ReadonlyMap<string, Send>;
  readonly failpoint?: Failpoint;
}

export interface AttemptPolicy {
  /** Attempts before a delivery is given up. */
  readonly attempts: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Makes one attempt and writes down how it ended. The writing is tried until it succeeds, because a sender
 * that forgets what it sent sends it again. A process that dies between the two causes one more attempt
 * after the lease, under the same message id. The signal gives up both.
 */
export function createAttempt(deps: AttemptDeps, policy: AttemptPolicy) {
  const { outbox, channels, log, metrics, random, failpoint = noFailpoint } = deps;
  const untilDone = retry(handleAll, {
    maxAttempts: Number.POSITIVE_INFINITY,
    backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 2000 }),
  });

  async function send(claim: Claim, signal: AbortSignal): Promise<Result> {
    const channel = channels.get(claim.channel);
    if (!channel) return { kind: "again", afterMs: policy.maxBackoffMs, reason: "The channel is off." };
    try {
      await channel(claim, signal);
      return { kind: "delivered" };
    } catch (error) {
      return nextResult({ attempt: claim.attempt, error, chance: random() }, policy);
    }
  }

  return async (claim: Claim, signal: AbortSignal): Promise<void> => {
    const result = await send(claim, signal);
    await failpoint("notification-after-post");
    await untilDone.execute(() => outbox.mark(claim, result), signal);
    metrics.deliveries.inc({ channel: claim.channel, outcome: result.kind });
    if (result.kind === "failed") {
      log.error(
        { delivery: claim.id, channel: claim.channel, reason: result.reason },
        "a delivery was given up",
      );
    }
  };
}

/** What follows an attempt that failed; `chance` (0 to 1) spreads the tries of many messages. */
export function nextResult(
  { attempt, error, chance }: { readonly attempt: number; readonly error: unknown; readonly chance: number },
  policy: AttemptPolicy,
): Result {
  const reason = reasonOf(error);
  if (attempt >= policy.attempts || (error instanceof ChannelError && !error.passing)) {
    return { kind: "failed", reason };
  }
  const backoffMs = Math.min(policy.maxBackoffMs, policy.firstBackoffMs * 2 ** (attempt - 1));
  return { kind: "again", afterMs: Math.round(backoffMs * (0.5 + chance / 2)), reason };
}

/** Short, and storable as text. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const message = error instanceof Error ? `${error.message}${cause}` : String(error);
  return message.replaceAll("\0", "").slice(0, 500).toWellFormed();
}
