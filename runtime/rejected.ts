import { createHash } from "node:crypto";

import { type EventRejected, eventRejected } from "../events/contracts/event-rejected.ts";
import { asAttribute, createEvent } from "../events/envelope.ts";
import type { Event, Extensions } from "../events/event.ts";
import type { HttpMessage } from "../events/http-message.ts";
import { deriveUuid } from "../events/identity.ts";
import type { RefusedEvent } from "../events/invalid-event.ts";
import { toInstant } from "../events/time.ts";
import type { Rejection } from "./answer.ts";
import { digestOf } from "./ledger/stored-event.ts";

/**
 * How much of a refused body is kept. In base64, with its headers, it stays below the body limit of the
 * function that stores it; otherwise the record of one refusal would be refused in turn.
 */
export const maxKeptBytes = 524_288;

const maxText = 4096;
const maxIdentity = 1024;

/** A request that was refused, and by whom. */
export interface Refusal {
  /** The function that refused it. */
  readonly name: string;
  readonly message: HttpMessage;
  readonly truncated: boolean;
  /** The event, when all of it could be read. */
  readonly event?: Event | undefined;
  readonly rejection: Rejection;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly extensions: Extensions;
}

/**
 * The record of a refusal, as an event. Its id derives from the refused event's identity, the reason and
 * the bytes of the body, so that a redelivery gives the same id, while another event under a reused
 * identity gets a record of its own. Headers a dispatcher rewrites on each delivery do not count.
 */
export function createRejected(refusal: Refusal): Event<EventRejected> {
  const { name, message, truncated, rejection, time, extensions } = refusal;
  const event = bounded(rejection.event ?? {});
  const code = rejectionCode(rejection);
  const kept = message.body.subarray(0, maxKeptBytes);
  return createEvent(eventRejected, {
    id: deriveUuid("rejected", name, code, ...identity(event, message), digest(message.body)),
    source: `/auditflow/${name}`,
    time: toInstant(time),
    subject: event.id === undefined ? undefined : asAttribute(event.id.slice(0, 256)) || undefined,
    extensions,
    data: {
      code,
      detail: text(rejection.detail, maxText),
      ...(rejection.pointer === undefined ? {} : { pointer: text(rejection.pointer, maxText) }),
      function: name,
      event: { ...event },
      request: {
        headers: eventHeaders(message),
        body_base64: kept.toString("base64"),
        ...(truncated || kept.length < message.body.length
          ? { truncated: true, ...(refusal.event && { digest: digestOf(refusal.event).toString("hex") }) }
          : {}),
      },
    },
  });
}

/** The stable code of a refusal; a general one when the function gave none that is well-formed. */
export function rejectionCode({ code }: Rejection): string {
  return /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : "EVENT_REFUSED";
}

/** What the id derives from besides the body: source and id, else every header that is the sender's own. */
function identity({ id, source }: RefusedEvent, message: HttpMessage): readonly string[] {
  if (id !== undefined && source !== undefined) return [source, id];
  const invented = new Set(["ce-time", "ce-traceparent", "ce-tracestate"]);
  return Object.entries(eventHeaders(message))
    .filter(([name]) => !invented.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flat();
}

/** The headers that carry CloudEvents attributes; never those that carry credentials. */
function eventHeaders({ headers }: HttpMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith("ce-") || name === "content-type" || name === "content-encoding")
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
}

function bounded(event: RefusedEvent): RefusedEvent {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [name, text(String(value), maxIdentity)]),
  );
}

/** JSON carries no unpaired surrogate, and a cut may leave one. */
function text(value: string, maxLength: number): string {
  return value.slice(0, maxLength).toWellFormed();
}

function digest(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}
