import { createHash } from "node:crypto";

import type { Event } from "../../events/event.ts";

/**
 * An event as the ledger keeps it: one JSON text, so that nothing is lost that JSON can say. PostgreSQL
 * refuses the character NUL in `text` and its escape in `jsonb`, and a lone surrogate cannot be written in
 * UTF-8; as JSON escapes inside a text both survive.
 */
export function toText(event: Event): string {
  const { data, ...context } = event;
  return data instanceof Uint8Array
    ? JSON.stringify({ ...context, data_base64: Buffer.from(data).toString("base64") })
    : JSON.stringify({ ...context, data });
}

/** The event that `toText` wrote. */
export function fromText(text: string): Event {
  const { data_base64: base64, ...event }: Event & { readonly data_base64?: string } = JSON.parse(text);
  if (base64 !== undefined) return { ...event, data: Buffer.from(base64, "base64") };
  return "data" in event ? event : { ...(event as Event), data: undefined };
}

/**
 * What makes two deliveries of one key the same event: type, subject and data. Not the time, which
 * dispatchers reformat or invent, nor extensions, which they add; and not the order of members or the
 * spelling of numbers, which they may change when they re-encode.
 */
export function digestOf({ type, subject = "", data }: Event): Buffer {
  const body = data instanceof Uint8Array ? `bytes:${Buffer.from(data).toString("base64")}` : canonical(data);
  return createHash("sha256")
    .update(`${Buffer.byteLength(type)}:${type}${Buffer.byteLength(subject)}:${subject}${body}`)
    .digest();
}

/** JSON with sorted members. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null || "toJSON" in value)
    return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}

/** Text for a column that people search: what PostgreSQL cannot hold is replaced; the event itself is exact. */
export function toColumn(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
