import { InvalidEventError, type RefusedEvent } from "../events/invalid-event.ts";
import { SinkError } from "../events/sink.ts";
import { DeadlineError, PermanentError, UnavailableError } from "./failure.ts";

/**
 * The one place where a failure becomes an answer towards a broker.
 *
 * Knative's RabbitMQ dispatcher takes nearly every 4xx for success and follows redirects, so neither is
 * ever given on a delivery route:
 *
 * | what happened                               | answer                                     |
 * |---------------------------------------------|--------------------------------------------|
 * | handled, or a repeat of what was handled    | 204, or 200 with the one reply event       |
 * | the request holds no event we can read      | 200 with an event.rejected event           |
 * | the handler threw PermanentError            | 200 with an event.rejected event           |
 * | a dependency is away, the deadline passed   | 503 with Retry-After                       |
 * | anything else was thrown                    | 500                                        |
 */
export type Verdict =
  | ({ readonly kind: "rejected" } & Rejection)
  | {
      readonly kind: "unavailable";
      readonly outcome: "unavailable" | "timeout";
      readonly retryAfterMs: number;
    }
  | { readonly kind: "failed"; readonly outcome: "failed" };

/** Why an event can never be handled. */
export interface Rejection {
  readonly code: string;
  readonly detail: string;
  readonly pointer: string | undefined;
  /** What could be read of the event, when it could not be read as a whole. */
  readonly event?: RefusedEvent;
}

/** Judges what was thrown while the request was being read: up to here only the event can be at fault. */
export function judgeReading(failure: unknown): Verdict {
  if (!(failure instanceof InvalidEventError)) return judgeHandling(failure);
  const { code, message, pointer, event } = failure;
  return { kind: "rejected", code, detail: message, pointer, event };
}

/**
 * Judges what was thrown while a valid event was being handled. An InvalidEventError counts as unexpected
 * here: it speaks of an event the function was making, not of the one it was given.
 */
export function judgeHandling(failure: unknown): Verdict {
  if (failure instanceof PermanentError) {
    const { code, message, pointer } = failure;
    return { kind: "rejected", code, detail: message, pointer };
  }
  if (failure instanceof UnavailableError) {
    return { kind: "unavailable", outcome: "unavailable", retryAfterMs: failure.retryAfterMs };
  }
  if (failure instanceof SinkError)
    return { kind: "unavailable", outcome: "unavailable", retryAfterMs: 1000 };
  if (failure instanceof DeadlineError)
    return { kind: "unavailable", outcome: "timeout", retryAfterMs: 1000 };
  return { kind: "failed", outcome: "failed" };
}

/** An answer to a request on a delivery route. */
export interface Answer {
  readonly status: 200 | 204 | 500 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export const handled: Answer = { status: 204, headers: {} };
export const failed: Answer = { status: 500, headers: { "content-length": "0" } };

/** 503; the dispatcher of today ignores Retry-After, others do not. */
export function unavailable(retryAfterMs: number): Answer {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return { status: 503, headers: { "retry-after": String(seconds), "content-length": "0" } };
}
