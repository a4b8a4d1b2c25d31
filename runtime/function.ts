import type { z } from "zod";

import type { Contract, EventOf } from "../events/contract.ts";
import type { Event } from "../events/event.ts";
import type { Environment } from "./config.ts";
import type { Health } from "./health.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Sends events to the broker; resolves once every one is confirmed, else rejects. The signal gives up early. */
export type Sink = (events: readonly Event[], signal?: AbortSignal) => Promise<void>;

/** What the runtime gives a function when it starts. */
export interface FunctionHost<Config> {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  /** For events that are not an answer to a delivery, such as what the generator brings in. */
  readonly sink: Sink;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  /** Whether others than this machine can reach the function. */
  readonly exposed: boolean;
  /** All variables, for what names one itself, such as the secret of a channel. Settings are in `config`. */
  readonly environment: Environment;
}

/** What the runtime tells a handler about one delivery. */
export interface Delivery {
  /** Aborted when the deadline of the delivery passes or the process must stop at once. */
  readonly signal: AbortSignal;
  /** The function's log, with the delivery's trace id and the event's id, source and type in every line. */
  readonly log: Log;
  /** The W3C trace context of this delivery, for calls to others; events that are returned get it anyway. */
  readonly traceparent: string;
}

/** A started function. Disposing it releases everything it opened, in reverse order. */
export interface RunningFunction<Accepts extends Contract = Contract> extends AsyncDisposable {
  /**
   * Answers one event with the events it gives rise to; the runtime sends them. Throw `PermanentError`
   * when the event can never be handled, anything else when it may pass later. With a handler, `POST /`
   * is the delivery route; without one it belongs to `fetch`.
   */
  handle?(this: void, event: EventOf<Accepts>, delivery: Delivery): Promise<readonly Event[]>;
  /**
   * Routes for people and tools: every path but the runtime's own (`/livez`, `/readyz`, `/healthz`,
   * `/metrics`, `/loglevel`). Usually the `fetch` of a hono app; `createApp` makes one whose unknown
   * routes and failures are answered as problem+json.
   */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /**
   * Called once when the process is about to stop, before what is in flight is waited for: ends answers
   * that would never end by themselves, such as event streams.
   */
  drain?(this: void): void;
}

/** A deployable: one folder under `functions/`, one Knative Service, one `FUNCTION_TARGET`. */
export interface FunctionDefinition<Accepts extends Contract = Contract, Config = unknown> {
  readonly name: string;
  readonly accepts: readonly Accepts[];
  readonly emits: readonly Contract[];
  /**
   * Paths of `fetch` that a broker delivers to besides `POST /`, such as a dead letter sink. There a 3xx or
   * 4xx would lose the event, so the runtime's own refusals follow the failure table instead.
   */
  readonly deliveryPaths?: readonly string[];
  /** Paths of `fetch` that a clock POSTs to, such as a PingSource; nothing for people. */
  readonly schedulePaths?: readonly string[];
  /** Everything the function reads from its environment; parsed once. */
  readonly config: z.ZodType<Config>;
  /** Must not wait for a dependency: what is down is reconnected in the background (see `health`). */
  start(this: void, host: FunctionHost<Config>): Promise<RunningFunction<Accepts>>;
}

/** Declares a function; the event types its handler receives are inferred from `accepts`. */
export function defineFunction<const Accepts extends Contract, Config>(
  definition: FunctionDefinition<Accepts, Config>,
): FunctionDefinition<Accepts, Config> {
  return definition;
}
