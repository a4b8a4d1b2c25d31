import { setTimeout as delay } from "node:timers/promises";

import type { Event } from "./event.ts";
import { encodeBinary } from "./http.ts";
import type { EncodedMessage } from "./http-message.ts";
import { createPost, type PostAnswer } from "./http-post.ts";

interface BackoffOptions {
  /** The wait after the first attempt; it doubles with each. Default 100. */
  readonly backoffMs?: number;
  /** Spreads the waits of many senders over their second half; 0 to 1. Default: no spread. */
  readonly random?: () => number;
  /** The wall clock in epoch milliseconds, to read a `Retry-After` that is a date. */
  readonly now?: () => number;
}

export interface SinkOptions extends BackoffOptions {
  /** The broker's ingress (`K_SINK`). */
  readonly url: string;
  /** Extensions to set on every event (`K_CE_OVERRIDES`); they win over the event's own. */
  readonly overrides?: Readonly<Record<string, string>> | undefined;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** How often one event is offered before the sink gives up; at least 1. */
  readonly attempts: number;
}

/** Sends events; resolves once the broker confirmed every one, else rejects with a SinkError. */
export type SendEvents = (events: readonly Event[], signal?: AbortSignal) => Promise<void>;

/** An event was not confirmed. Events sent beside it may have been: sending all again is safe. */
export class SinkError extends Error {
  override readonly name = "SinkError";
  /** The last HTTP status, when there was an answer. */
  readonly status: number | undefined;
  readonly attempts: number;

  constructor(
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly attempts: number },
  ) {
    super(message, options);
    this.status = options.status;
    this.attempts = options.attempts;
  }
}

const maxParallel = 16;
const maxWaitMs = 30_000;

/** Statuses after which the same request may succeed: those Knative retries. */
function isRetriable(status: number): boolean {
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429;
}

/**
 * A sink that POSTs each event in binary mode to the broker's ingress. A 2xx answer confirms the event;
 * retriable statuses, lost connections and timeouts are tried again with exponential backoff, or as late
 * as `Retry-After` asks for (30 s at most).
 */
export function createSink(options: SinkOptions): SendEvents {
  const { overrides, attempts } = options;
  const post = createPost(options);

  async function send(event: Event, signal?: AbortSignal): Promise<void> {
    const message = encodeBinary(
      overrides ? { ...event, extensions: { ...event.extensions, ...overrides } } : event,
    );
    for (let attempt = 1; ; attempt++) {
      const outcome = await offer(message, signal);
      if (!(outcome instanceof Error) && outcome.status >= 200 && outcome.status <= 299) return;
      if (attempt >= attempts || (!(outcome instanceof Error) && !isRetriable(outcome.status))) {
        throw refusal(event, outcome, attempt);
      }
      await delay(waitMs(outcome, attempt, options), undefined, { signal });
    }
  }

  async function offer(message: EncodedMessage, signal?: AbortSignal): Promise<PostAnswer | Error> {
    signal?.throwIfAborted();
    try {
      return await post(message, signal);
    } catch (error) {
      signal?.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  return async (events, signal) => {
    const waiting = events.values();
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (const event of waiting) {
        if (failures.length > 0) return;
        await send(event, signal).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxParallel, events.length) }, worker));
    if (failures.length > 0) throw failures[0];
  };
}

function refusal(event: Event, outcome: PostAnswer | Error, attempts: number): SinkError {
  const what = `Event ${event.id} of type ${event.type} was not confirmed by the sink`;
  const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return outcome instanceof Error
    ? new SinkError(`${what} in ${times}: ${outcome.message}.`, { attempts, cause: outcome })
    : new SinkError(`${what} in ${times}: it answered ${outcome.status}.`, {
        attempts,
        status: outcome.status,
      });
}

/** How long to wait after the given attempt (1 is the first): the backoff, or what the receiver asks for. */
export function waitMs(outcome: PostAnswer | Error, attempt: number, options: BackoffOptions): number {
  const { backoffMs = 100, random = () => 1, now } = options;
  const backoff = backoffMs * 2 ** (attempt - 1) * (0.5 + random() / 2);
  const asked = outcome instanceof Error ? 0 : retryAfterMs(outcome.retryAfter, now);
  return Math.min(Math.max(backoff, asked), maxWaitMs);
}

/** `Retry-After` in milliseconds (RFC 9110 §10.2.3); 0 when there is none that can be read. */
function retryAfterMs(value: string | undefined, now?: () => number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return now && !Number.isNaN(date) ? Math.max(0, date - now()) : 0;
}
