import type { EventOf } from "../../../events/contract.ts";
import type { eventRejected } from "../../../events/contracts/event-rejected.ts";
import type { Event, ExtensionValue } from "../../../events/event.ts";
import { decodeRequest } from "../../../events/http.ts";
import { deriveUuid } from "../../../events/identity.ts";
import { InvalidEventError } from "../../../events/invalid-event.ts";

/** An event that a function refused for ever, or that the broker could not deliver. */
export interface DeadLetter {
  /** Derived from what it is about, so that storing it again changes nothing. */
  readonly id: string;
  readonly kind: "rejected" | "undeliverable";
  readonly code: string;
  readonly detail: string;
  readonly pointer: string | null;
  /** The function that refused it, or the address the broker could not deliver it to. */
  readonly origin: string;
  readonly event: {
    readonly source: string | null;
    readonly id: string | null;
    readonly type: string | null;
    readonly time: string | null;
  };
  /** As it came: the headers that matter, and the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly truncated: boolean;
  /** Of a truncated event: the ledger's digest, in hexadecimal, where the refusing function could read it. */
  readonly digest: string | null;
}

/** The dead letter of an `event.rejected` event. */
export function fromRejection(event: EventOf<typeof eventRejected>): DeadLetter {
  const { code, detail, pointer, request, event: refused, function: origin } = event.data;
  return {
    id: deriveUuid("rejected", event.source, event.id),
    kind: "rejected",
    code,
    detail,
    pointer: pointer ?? null,
    origin,
    event: toReference(refused),
    headers: request.headers,
    body: Buffer.from(request.body_base64, "base64"),
    truncated: request.truncated ?? false,
    digest: request.digest ?? null,
  };
}

/** Headers worth keeping: what describes the event and the delivery, not the connection. */
const kept = /^(ce-.*|content-type|content-encoding|traceparent|tracestate)$/;

/**
 * The dead letter of whatever the broker hands over, also when it is no valid CloudEvent: nobody stands
 * behind this one to take what it refuses. Header names in lower case.
 */
export function fromUndeliverable(headers: Readonly<Record<string, string>>, body: Buffer): DeadLetter {
  const { event, extensions } = readEvent(headers, body);
  const { knativeerrorcode: status, knativeerrordest } = extensions;
  const origin = String(knativeerrordest ?? "unknown");
  const isIdentified = event.source !== null && event.id !== null;
  const identity = isIdentified ? [event.source, event.id] : ["", body.toString("base64")];
  return {
    id: deriveUuid("undeliverable", origin, ...identity),
    kind: "undeliverable",
    code: "EVENT_UNDELIVERABLE",
    detail: status === undefined ? "The broker could not deliver it." : `The subscriber answered ${status}.`,
    pointer: null,
    origin,
    event,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => kept.test(name))),
    body,
    truncated: false,
    digest: null,
  };
}

interface Reading {
  readonly event: DeadLetter["event"];
  readonly extensions: {
    readonly knativeerrordest?: ExtensionValue | undefined;
    readonly knativeerrorcode?: ExtensionValue | undefined;
  };
}

/** As much of the event as can be read; a broken one is still stored. */
function readEvent(headers: Readonly<Record<string, string>>, body: Buffer): Reading {
  try {
    const event = decodeRequest({ headers, body });
    return { event: toReference(event), extensions: event.extensions };
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    const { "ce-knativeerrordest": knativeerrordest, "ce-knativeerrorcode": knativeerrorcode } = headers;
    return { event: toReference(error.event), extensions: { knativeerrordest, knativeerrorcode } };
  }
}

function toReference({ source, id, type, time }: Partial<Event>): DeadLetter["event"] {
  return { source: source ?? null, id: id ?? null, type: type ?? null, time: time ?? null };
}
