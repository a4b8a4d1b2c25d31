import { eventRejected } from "../events/contracts/event-rejected.ts";
import { parseEvent } from "../events/envelope.ts";
import type { Event } from "../events/event.ts";
import { decodeRequest, encodeBinary } from "../events/http.ts";
import type { HttpMessage } from "../events/http-message.ts";
import { InvalidEventError, type RefusedEvent } from "../events/invalid-event.ts";
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
import { maxBodyBytes } from "./body.ts";
import { lineageOf, prepareEmission } from "./emission.ts";
import type { FunctionDefinition, RunningFunction, Sink } from "./function.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { OpenDelivery } from "./open-delivery.ts";
import { createRejected } from "./rejected.ts";
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

/** A request on a delivery route: what was read of it. */
export interface DeliveryRequest extends HttpMessage {
  readonly truncated: boolean;
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
  const { definition, handle, sink, metrics, timeoutMs } = deps;
  const types = new Set(definition.accepts.map(({ type }) => type));
  const open = new Set<OpenDelivery>();

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
    open.add(delivery);
    try {
      return success(await delivery.within(run(event, delivery), timeoutMs));
    } catch (error) {
      return fail(judgeHandling(error), { error, request, delivery, event });
    } finally {
      open.delete(delivery);
    }
  }

  /** Handles the event; more than one event is confirmed by the broker before the delivery is. */
  async function run(event: Event, delivery: OpenDelivery): Promise<readonly Event[]> {
    const returned = await handle(event, delivery);
    if (returned.length === 0) return returned;
    const lineage = { trace: delivery.trace, cause: event };
    const events = returned.map((each) => prepareEmission(each, definition.emits, lineage));
    if (events.length > 1) await sink(events, delivery.signal);
    return events;
  }

  function success(events: readonly Event[]): Answer {
    const [first, second] = events;
    const answer = first !== undefined && second === undefined ? reply(first) : handled;
    metrics.eventsHandled.inc({
      outcome: first === undefined ? "none" : second === undefined ? "replied" : "sent",
    });
    return answer;
  }

  function refuse(request: DeliveryRequest, rejection: Rejection): Answer {
    const delivery = new OpenDelivery(request.headers, undefined, deps);
    return fail({ kind: "rejected", ...rejection }, { error: undefined, request, delivery });
  }

  function fail(verdict: Verdict, failure: Failure): Answer {
    const { error, delivery, event, request } = failure;
    if (!event) metrics.eventsReceived.inc({ type: typeLabel(verdict, types) });
    switch (verdict.kind) {
      case "rejected":
        return reject(verdict, { request, delivery, event });
      case "unavailable":
        metrics.eventsHandled.inc({ outcome: verdict.outcome });
        delivery.log.warn({ reason: messageOf(error) }, "not handled now; it comes again");
        return unavailable(verdict.retryAfterMs);
      case "failed":
        metrics.eventsHandled.inc({ outcome: "failed" });
        delivery.log.error({ err: error }, "unexpected failure; it comes again");
        return failed;
    }
  }

  function reject(rejection: Rejection, { request, delivery, event }: Omit<Failure, "error">): Answer {
    const refused: RefusedEvent | Event = event ?? rejection.event ?? {};
    const { id, source, type } = refused;
    metrics.eventsRejected.inc({ code: rejection.code });
    // Rejecting a rejection would make the next one, for ever. It goes the broker's way to its dead letters.
    if ((type ?? request.headers["ce-type"]) === eventRejected.type) {
      metrics.eventsHandled.inc({ outcome: "failed" });
      delivery.log.error(
        { code: rejection.code, reason: rejection.detail },
        "the record of a rejection was refused",
      );
      return failed;
    }
    try {
      const record = createRejected({
        name: definition.name,
        message: request,
        truncated: request.truncated,
        rejection: { ...rejection, event: identityOf(refused) },
        time: deps.now(),
        extensions: lineageOf({
          trace: delivery.trace,
          cause: { id, ...(event && { extensions: event.extensions }) },
        }),
      });
      const answer = reply(record);
      metrics.eventsHandled.inc({ outcome: "rejected" });
      delivery.log.warn(
        { code: rejection.code, event_id: id, event_source: source, event_type: type },
        "event rejected",
      );
      return answer;
    } catch (error) {
      metrics.eventsHandled.inc({ outcome: "failed" });
      delivery.log.error({ err: error, code: rejection.code }, "a rejection could not be recorded");
      return failed;
    }
  }

  return {
    answer,
    refuse,
    abort(reason) {
      for (const delivery of open) delivery.abort(reason);
    },
  };
}

interface Failure {
  readonly error: unknown;
  readonly request: DeliveryRequest;
  readonly delivery: OpenDelivery;
  /** Absent while none could be read. */
  readonly event?: Event | undefined;
}

/** The refusal of a request whose body is larger than is read; its headers may still tell the event. */
export function tooLarge({ headers }: HttpMessage): Rejection {
  return {
    code: "EVENT_TOO_LARGE",
    detail: `The body is larger than ${maxBodyBytes} bytes.`,
    pointer: undefined,
    event: identify(headers),
  };
}

/** What the headers alone tell of an event. */
function identify(headers: HttpMessage["headers"]): RefusedEvent {
  try {
    return identityOf(decodeRequest({ headers, body: Buffer.alloc(0) }));
  } catch (error) {
    return error instanceof InvalidEventError ? error.event : {};
  }
}

function reply(event: Event): Answer {
  const { headers, body } = encodeBinary(event);
  return { status: 200, headers: { ...headers, "content-length": String(body.length) }, body };
}

function identityOf({ id, source, type, time }: RefusedEvent | Event): RefusedEvent {
  return {
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
    ...(type !== undefined && { type }),
    ...(time !== undefined && { time }),
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
