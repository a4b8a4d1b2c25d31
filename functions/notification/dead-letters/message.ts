import { createHash } from "node:crypto";

import { asAttribute } from "../../../events/envelope.ts";
import type { Event, Extensions } from "../../../events/event.ts";
import { decodeRequest, encodeBinary } from "../../../events/http.ts";
import type { EncodedMessage } from "../../../events/http-message.ts";
import { deriveUuid } from "../../../events/identity.ts";
import { InvalidEventError } from "../../../events/invalid-event.ts";

/** A dead letter's message, as it came. */
export interface LetterMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** An event to be sent again. */
export interface Resent {
  readonly event: Event;
  /** True when it is not the one the letter holds: then it has an id of its own. */
  readonly isEdited: boolean;
}

/** What the broker notes when it gives an event up. */
const notes = /^knativeerror/;

/**
 * The event of a letter as it is sent again: without what the broker noted on it, and with another body
 * where one is given. An event that was edited gets a new id, derived from the old one and the new body:
 * under the old id the ledger would refuse it, for there it is known with other bytes. Throws
 * InvalidEventError when it cannot be read as a CloudEvent.
 */
export function toResent({ headers, bytes }: LetterMessage, body: unknown): Resent {
  const edited = body === undefined ? undefined : toBytes(body);
  const event = withoutNotes(decodeRequest({ headers, body: edited ?? bytes }));
  if (!edited || edited.equals(bytes)) return { event, isEdited: false };
  const digest = createHash("sha256").update(edited).digest("hex");
  const id = deriveUuid("edited", event.source, event.id, digest);
  const extensions = { ...event.extensions, causationid: asAttribute(event.id).slice(0, 256) };
  return { event: { ...event, id, extensions }, isEdited: true };
}

/** Text as it is, anything else as JSON. */
function toBytes(body: unknown): Buffer {
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function withoutNotes(event: Event): Event {
  const extensions: Extensions = Object.fromEntries(
    Object.entries(event.extensions).filter(([name]) => !notes.test(name)),
  );
  return { ...event, extensions };
}

/**
 * The message for the original destination: in binary mode, byte by byte as it came where it came so. What
 * is no CloudEvent goes as it is, too, for the destination is who may judge it.
 */
export function toMessage(
  letter: LetterMessage,
  body: unknown,
): EncodedMessage & { readonly id: string | null } {
  try {
    const { event, isEdited } = toResent(letter, body);
    if (isEdited || isStructured(letter)) return { ...encodeBinary(event), id: event.id };
    return { ...asItCame(letter), id: event.id };
  } catch (error) {
    if (!(error instanceof InvalidEventError) || body !== undefined) throw error;
    return { ...asItCame(letter), id: null };
  }
}

function asItCame({ headers, bytes }: LetterMessage): EncodedMessage {
  const kept = Object.entries(headers).filter(([name]) => !notes.test(name.replace(/^ce-/, "")));
  return { headers: Object.fromEntries(kept), body: bytes };
}

function isStructured({ headers }: LetterMessage): boolean {
  return headers["content-type"]?.toLowerCase().startsWith("application/cloudevents") ?? false;
}
