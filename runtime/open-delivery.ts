import type { Event } from "../events/event.ts";
import type { Delivery } from "./function.ts";
import type { Log } from "./log.ts";
import { continueTrace, type RandomHex, toTraceparent, type Trace, type TraceSource } from "./tracing.ts";

export interface DeliveryContext {
  readonly log: Log;
  readonly randomHex: RandomHex;
}

/**
 * One delivery while it is being handled: open, then finished, or aborted once. What a handler may ask
 * for is made when it asks, because most handlers never do and every delivery would pay.
 */
export class OpenDelivery implements Delivery {
  readonly #source: TraceSource;
  readonly #event: Event | undefined;
  readonly #context: DeliveryContext;
  #controller: AbortController | undefined;
  #trace: Trace | undefined;
  #log: Log | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #aborted: Error | undefined;

  constructor(headers: TraceSource["headers"], event: Event | undefined, context: DeliveryContext) {
    this.#source = event === undefined ? { headers } : { headers, extensions: event.extensions };
    this.#event = event;
    this.#context = context;
  }

  get trace(): Trace {
    return (this.#trace ??= continueTrace(this.#source, this.#context.randomHex));
  }

  get traceparent(): string {
    return toTraceparent(this.trace);
  }

  get log(): Log {
    return (this.#log ??= this.#context.log.child({
      trace_id: this.trace.traceId,
      span_id: this.trace.spanId,
      ...(this.#event && {
        event_id: this.#event.id,
        event_source: this.#event.source,
        event_type: this.#event.type,
      }),
    }));
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  /** The outcome of `work`, unless the delivery is aborted before: then the reason of that. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#aborted) reject(this.#aborted);
      // A handler that fails because its signal fired fails for the reason of the abort.
      work.then(resolve, (error: unknown) => reject(this.#aborted ?? error));
    });
  }

  /** Ends the delivery: the signal fires and what races is rejected. Later calls change nothing. */
  abort(reason: Error): void {
    if (this.#aborted) return;
    this.#aborted = reason;
    this.#controller?.abort(reason);
    this.#reject?.(reason);
  }
}
