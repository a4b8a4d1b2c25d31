/** How one queue's messages are delivered, as the dispatcher of the Knative RabbitMQ Broker is told. */
export interface DeliveryPolicy {
  /** Attempts after the first. */
  readonly retry: number;
  readonly backoffPolicy: "exponential" | "linear";
  readonly backoffDelayMs: number;
  /** Deadline of one attempt; 0 is none. */
  readonly timeoutMs: number;
  /** A status that is neither 2xx nor retriable: acknowledged, or undeliverable at once. */
  readonly refusal: "success" | "failure";
  /** `hold` keeps trying for ever: what a dead letter sink does not take has nowhere else to go. */
  readonly undeliverable: "dead-letter" | "drop" | "hold";
}

/** What happens to a message after an attempt. */
export type NextStep =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly afterMs: number }
  | { readonly kind: "dead-letter" }
  | { readonly kind: "drop" };

/** The status of an attempt that got no answer: refused, reset, timed out. */
export const noAnswer = -1;

/** What `backoffDelay` is when the manifest does not say. */
export const defaultBackoffDelayMs = 50;

/** The longest wait a timer can be set to. */
const longestWaitMs = 2 ** 31 - 1;

/** Pauses between attempts once a held message has used up its retries, also where its delay is none. */
const holdMs = { shortest: 1000, longest: 30_000 };

/**
 * Decides what follows attempt number `attempt` (from 1), which ended with `status`.
 *
 * Waits are `delay·2^n` or `delay·n` for n = 1, 2, 3…, without jitter; a `Retry-After` is ignored. Both
 * as observed on the dispatcher of the Knative RabbitMQ Broker.
 */
export function nextStep(status: number, attempt: number, policy: DeliveryPolicy): NextStep {
  if (isSuccess(status)) return { kind: "ack" };
  if (!isRetriable(status) && policy.refusal === "success") return { kind: "ack" };
  if (isRetriable(status) && attempt <= policy.retry) {
    return { kind: "retry", afterMs: waitMs(attempt, policy) };
  }
  if (policy.undeliverable !== "hold") return { kind: policy.undeliverable };
  const afterMs = Math.max(holdMs.shortest, Math.min(waitMs(attempt, policy), holdMs.longest));
  return { kind: "retry", afterMs };
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** No answer, any 5xx, 404, 408, 409 and 429: it may pass later. */
function isRetriable(status: number): boolean {
  return status === noAnswer || status >= 500 || [404, 408, 409, 429].includes(status);
}

function waitMs(attempt: number, { backoffPolicy, backoffDelayMs }: DeliveryPolicy): number {
  // Beyond 2^31 a wait of any length is the longest one; and no delay times infinity would be no number.
  const factor = backoffPolicy === "exponential" ? 2 ** Math.min(attempt, 31) : attempt;
  return Math.min(backoffDelayMs * factor, longestWaitMs);
}

const isoDuration =
  /^P(?=.)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds in a week, a day, an hour, a minute, a second: the parts of a duration in their order. */
const partsMs = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000];

/**
 * Milliseconds of an ISO 8601 duration such as `PT0.2S`; `undefined` when the text is none. Years and
 * months are refused because their length is not fixed.
 */
export function parseDuration(text: string): number | undefined {
  const match = isoDuration.exec(text);
  if (!match) return undefined;
  return partsMs.reduce((sum, unitMs, index) => sum + Number(match[index + 1] ?? 0) * unitMs, 0);
}
