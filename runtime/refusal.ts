import { eventRejected } from "../events/contracts/event-rejected.ts";
import type { Event } from "../events/event.ts";
import { decodeRequest, encodeBinary } from "../events/http.ts";
import type { HttpMessage } from "../events/http-message.ts";
import { InvalidEventError, type RefusedEvent } from "../events/invalid-event.ts";
import { type Answer, failed, type Rejection } from "./answer.ts";
import { maxBodyBytes } from "./body.ts";
import { lineageOf } from "./emission.ts";
import { createBoundedLabel, type Metrics } from "./metrics.ts";
import type { OpenDelivery } from "./open-delivery.ts";
import { createRejected, rejectionCode } from "./rejected.ts";

export interface RefuserDeps {
  readonly definition: { readonly name: string };
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** A request on a delivery route: what was read of it. */
export interface DeliveryRequest extends HttpMessage {
  readonly truncated: boolean;
}

export interface Refused {
  readonly request: DeliveryRequest;
  readonly delivery: OpenDelivery;
  /** Absent when none could be read. */
  readonly event?: Event | undefined;
}

/** Records that an event can never be handled, and answers with the record. */
export function createRefuser({ definition, metrics, now }: RefuserDeps) {
  const label = createBoundedLabel();

  function record(rejection: Rejection, { request, delivery, event }: Refused): Event {
    const known = identityOf(event ?? rejection.event ?? {});
    const cause = { id: known.id, ...(event && { extensions: event.extensions }) };
    return createRejected({
      name: definition.name,
      message: request,
      truncated: request.truncated,
      event,
      rejection: { ...rejection, event: known },
      time: now(),
      extensions: lineageOf({ trace: delivery.trace, cause }),
    });
  }

  function fail(delivery: OpenDelivery, reason: Readonly<Record<string, unknown>>): Answer {
    metrics.eventsHandled.inc({ outcome: "failed" });
    delivery.log.error(reason, "a refused event could not be recorded");
    return failed;
  }

  return (rejection: Rejection, refused: Refused): Answer => {
    const { request, delivery, event } = refused;
    const { id, source, type } = event ?? rejection.event ?? {};
    const code = rejectionCode(rejection);
    metrics.eventsRejected.inc({ code: label(code) });
    // Rejecting a rejection would make the next one, for ever. It goes the broker's way to its dead letters.
    if ((type ?? request.headers["ce-type"]) === eventRejected.type) {
      return fail(delivery, { code, reason: rejection.detail });
    }
    try {
      const answer = reply(record(rejection, refused));
      metrics.eventsHandled.inc({ outcome: "rejected" });
      delivery.log.warn({ code, event_id: id, event_source: source, event_type: type }, "event rejected");
      return answer;
    } catch (error) {
      return fail(delivery, { code, err: error });
    }
  };
}

/** 200 with the event as the reply, in binary mode. */
export function reply(event: Event): Answer {
  const { headers, body } = encodeBinary(event);
  return { status: 200, headers: { ...headers, "content-length": String(body.length) }, body };
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

function identityOf({ id, source, type, time }: RefusedEvent | Event): RefusedEvent {
  return {
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
    ...(type !== undefined && { type }),
    ...(time !== undefined && { time }),
  };
}
