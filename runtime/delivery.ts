import { parseEvent } from "../events/envelope.ts";
import type { Event } from "../events/event.ts";
import { decodeRequest } from "../events/http.ts";
import {
  type Answer,
  failed,
  handled,
  judgeHandling,
  judgeReading,
  type Rejection,
  unavailable,
  type Verdict,
} from "./answer.ts";
import { createDeadlines } from "./deadlines.ts";
import { prepareEmission } from "./emission.ts";
import type { FunctionDefinition, RunningFunction, Sink } from "./function.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { OpenDelivery } from "./open-delivery.ts";
import { createRefuser, type DeliveryRequest, type Refused, reply, tooLarge } from "./refusal.ts";
import type { RandomHex } from "./tracing.ts";

export interface DeliveryDeps {
  readonly definition: FunctionDefinition;
  readonly handle: NonNullable<RunningFunction["handle"]>;
  readonly sink: Sink;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly randomHex: RandomHex;
  readonly timeoutMs: number;
}

export interface DeliveryRoute {
  /** Answers one delivery; never rejects. */
  answer(request: DeliveryRequest): Promise<Answer>;
  /** Records a refusal and answers with the record; for a route a broker delivers to. */
  refuse(request: DeliveryRequest, rejection: Rejection): Answer;
  /** Ends every delivery in flight at once. */
  abort(reason: Error): void;
}

/** The delivery route of a function: bytes to event to handler to answer (see answer.ts). */
export function createDeliveryRoute(deps: DeliveryDeps): DeliveryRoute {
  const { definition, handle, metrics, timeoutMs } = deps;
  const types = new Set(definition.accepts.map(({ type }) => type));
  const reject = createRefuser(deps);
  const emit = createEmitter(deps);
  const deadlines = createDeadlines({ timeoutMs, clock: () => performance.now() });

  async function answer(request: DeliveryRequest): Promise<Answer> {
    let event: Event;
    try {
      if (request.truncated) return refuse(request, tooLarge(request));
      event = parseEvent(definition.accepts, decodeRequest(request));
    } catch (error) {
      const delivery = new OpenDelivery(request.headers, undefined, deps);
      return fail(judgeReading(error), { error, request, delivery });
    }
    metrics.eventsReceived.inc({ type: event.type });
    const delivery = new OpenDelivery(request.headers, event, deps);
    const slot = deadlines.watch(delivery);
    try {
      const events = await delivery.race(handle(event, delivery));
      return events.length === 0 ? nothing(metrics) : await emit(events, event, delivery);
    } catch (error) {
      return fail(judgeHandling(error), { error, request, delivery, event });
    } finally {
      deadlines.release(slot);
    }
  }

  function refuse(request: DeliveryRequest, rejection: Rejection): Answer {
    const delivery = new OpenDelivery(request.headers, undefined, deps);
    return fail({ kind: "rejected", ...rejection }, { error: undefined, request, delivery });
  }

  function fail(verdict: Verdict, failure: Failure): Answer {
    const { error, delivery, event, request } = failure;
    if (!event) metrics.eventsReceived.inc({ type: typeLabel(verdict, types) });
    if (verdict.kind === "rejected") return reject(verdict, { request, delivery, event });
    metrics.eventsHandled.inc({ outcome: verdict.outcome });
    if (verdict.kind === "failed") {
      delivery.log.error({ err: error }, "unexpected failure; it comes again");
      return failed;
    }
    delivery.log.warn({ reason: messageOf(error) }, "not handled now; it comes again");
    return unavailable(verdict.retryAfterMs);
  }

  return {
    answer,
    refuse,
    abort: (reason) => deadlines.abortAll(reason),
  };
}

interface Failure extends Refused {
  readonly error: unknown;
}

function nothing(metrics: Metrics): Answer {
  metrics.eventsHandled.inc({ outcome: "none" });
  return handled;
}

/** One event is the reply; more are confirmed by the broker before the delivery is. */
function createEmitter({ definition, sink, metrics }: DeliveryDeps) {
  return async (returned: readonly Event[], cause: Event, delivery: OpenDelivery): Promise<Answer> => {
    const lineage = { trace: delivery.trace, cause };
    const events = returned.map((event) => prepareEmission(event, definition.emits, lineage));
    const [only] = events;
    if (only !== undefined && events.length === 1) {
      const answer = reply(only);
      metrics.eventsHandled.inc({ outcome: "replied" });
      return answer;
    }
    await delivery.race(sink(events, delivery.signal));
    metrics.eventsHandled.inc({ outcome: "sent" });
    return handled;
  };
}

/** Only types the function knows become labels; a sender must not be able to make series. */
function typeLabel(verdict: Verdict, types: ReadonlySet<string>): string {
  const type = verdict.kind === "rejected" ? verdict.event?.type : undefined;
  return type !== undefined && types.has(type) ? type : "other";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
