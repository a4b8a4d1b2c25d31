import { isUtf8 } from "node:buffer";

import type { Event } from "./event.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";
import { formatJson, maxDataDepth, parseJson } from "./json.ts";
import { representationOf } from "./media-type.ts";

/** `data`, and the media type that describes it. */
export type TypedData = Pick<Event, "data" | "datacontenttype">;

const json = "application/json";
const bytes = "application/octet-stream";

/**
 * The data of a binary-mode body.
 *
 * Without a media type it is JSON when it parses as such (a dispatcher drops the Content-Type of events
 * that leave the default, `application/json`, unsaid), else bytes; either way the type is made explicit.
 * An empty body is no data under no type or a JSON type, and empty data under any other.
 */
export function dataOf(body: Buffer, datacontenttype: string | undefined): TypedData {
  if (datacontenttype === undefined) return body.length === 0 ? { data: undefined } : guess(body);
  const representation = representationOf(datacontenttype);
  if (representation === "bytes") return { data: body, datacontenttype };
  if (representation === "text") {
    if (isUtf8(body)) return { data: body.toString("utf8"), datacontenttype };
    throw invalid(`data is not valid UTF-8, as ${quote(datacontenttype)} has to be.`);
  }
  const data = body.length === 0 ? undefined : parseJson(body, maxDataDepth, "/data");
  return { data, datacontenttype };
}

function guess(body: Buffer): TypedData {
  try {
    return { data: parseJson(body, maxDataDepth, "/data"), datacontenttype: json };
  } catch (error) {
    // What is JSON and breaks our rules is not to slip through as bytes.
    if (!(error instanceof InvalidEventError) || !(error.cause instanceof SyntaxError)) {
      if (isUtf8(body)) throw error;
    }
    return { data: body, datacontenttype: bytes };
  }
}

/** The body for an event's data, the reverse of `dataOf`; a media type left unsaid is made explicit. */
export function bodyOf({ data, datacontenttype }: TypedData): {
  body: Buffer;
  datacontenttype?: string | undefined;
} {
  const type = typeOf({ data, datacontenttype });
  if (data === undefined || type === undefined) return { body: Buffer.alloc(0), datacontenttype: type };
  const representation = representationOf(type);
  if (representation === "bytes") return { body: bytesOf(data, type), datacontenttype: type };
  const body = representation === "text" ? Buffer.from(textOf(data, type), "utf8") : formatJson(data);
  return { body, datacontenttype: type };
}

/** The media type an event's data has: the one it states, else the default for what it is. */
export function typeOf({ data, datacontenttype }: TypedData): string | undefined {
  if (datacontenttype !== undefined || data === undefined) return datacontenttype;
  return data instanceof Uint8Array ? bytes : json;
}

/** Text data of a text media type; unpaired surrogates have no UTF-8 form. */
export function textOf(data: unknown, datacontenttype: string | undefined): string {
  if (typeof data === "string" && data.isWellFormed()) return data;
  const got = typeof data === "string" ? "text with an unpaired surrogate" : quote(data);
  throw invalid(`data: expected text, as ${quote(datacontenttype)} says, got ${got}.`);
}

/** Data of a media type that is neither JSON nor text. */
export function bytesOf(data: unknown, datacontenttype: string | undefined): Buffer {
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw invalid(`data: expected bytes, as ${quote(datacontenttype)} says, got ${quote(data)}.`);
}

function invalid(message: string): InvalidEventError {
  return new InvalidEventError("EVENT_BODY_INVALID", message, { pointer: "/data" });
}
