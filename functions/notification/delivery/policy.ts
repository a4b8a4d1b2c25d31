import { ChannelError, type Receipt } from "../channels/channel.ts";

export interface BackoffPolicy {
  /** The wait after the first attempt; it doubles with each. */
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** Why an attempt or a delivery failed; a word of the event that tells of it. */
export type FailureCode = "CHANNEL_REFUSED" | "CHANNEL_UNAVAILABLE" | "DELIVERY_EXPIRED";

/** How an attempt ended, and what follows. */
export type Outcome =
  | ({ readonly kind: "delivered" } & Receipt)
  | ({ readonly kind: "again"; readonly afterMs: number } & Failure)
  | ({ readonly kind: "failed" } & Failure);

interface Failure extends Receipt {
  readonly code: FailureCode;
  /** For people; storable, at most 2 KiB. */
  readonly reason: string;
}

/** An attempt that failed. */
export interface FailedAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** Until the delivery is given up, in milliseconds. */
  readonly leftMs: number;
  /** In [0, 1): spreads the attempts of many deliveries. */
  readonly chance: number;
}

/** Of stored answers and reasons, in UTF-8. */
const maxExcerptBytes = 2048;

/**
 * What follows an attempt that failed. What a receiver refused for good fails at once; everything else is
 * tried again after a back-off that doubles, spread over its second half, or as late as `Retry-After` asks
 * for. A wait that would outlast the delivery is cut, so that one attempt is made right before the end.
 */
export function afterFailure(failed: FailedAttempt, policy: BackoffPolicy): Outcome {
  const { attempt, error, leftMs, chance } = failed;
  const answer = error instanceof ChannelError ? receiptOf(error) : {};
  const failure = { reason: reasonOf(error), ...answer };
  if (error instanceof ChannelError && !error.passing) {
    return { kind: "failed", code: "CHANNEL_REFUSED", ...failure };
  }
  const code = "CHANNEL_UNAVAILABLE";
  // The last attempt needs a moment to begin in.
  const lastMs = leftMs - policy.firstBackoffMs;
  if (lastMs <= 0) return { kind: "failed", code, ...failure };
  const asked = error instanceof ChannelError ? (error.retryAfterMs ?? 0) : 0;
  const wanted = Math.max(backoffMs(attempt, chance, policy), asked);
  return { kind: "again", code, afterMs: Math.round(Math.min(wanted, lastMs)), ...failure };
}

/** The back-off after an attempt (from 1): half of it certain, half of it chance. */
function backoffMs(attempt: number, chance: number, { firstBackoffMs, maxBackoffMs }: BackoffPolicy): number {
  const full = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(attempt - 1, 60));
  return full * (0.5 + chance / 2);
}

/** An answer as it is kept. */
export function receiptOf({ status, response }: Receipt): Receipt {
  return {
    ...(isHttpStatus(status) && { status }),
    ...(response !== undefined && response !== "" && { response: excerpt(response) }),
  };
}

/** SMTP's codes lie in the same range. */
function isHttpStatus(status: number | undefined): status is number {
  return status !== undefined && Number.isInteger(status) && status >= 100 && status <= 599;
}

/** The beginning of a text as PostgreSQL can keep it: no NUL, no lone surrogate, at most 2 KiB. */
export function excerpt(text: string): string {
  // No character takes less than a byte, so no more of them are needed.
  const storable = text
    .slice(0, maxExcerptBytes * 2)
    .replaceAll("\0", "")
    .toWellFormed();
  const { read } = new TextEncoder().encodeInto(storable, new Uint8Array(maxExcerptBytes));
  return storable.slice(0, read);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return excerpt(String(error));
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return excerpt(`${error.message}${cause}` || error.name);
}
