import { type Candidate, checkAttributes, contextAttributes, emptyCandidate } from "./attributes.ts";
import { bytesOf, dataOf, textOf, type TypedData, typeOf } from "./data.ts";
import type { Event } from "./event.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";
import { formatJson, maxDataDepth } from "./json.ts";
import { representationOf } from "./media-type.ts";

/** Nesting of an event in the JSON format: its data, inside the event. */
export const maxEventDepth = maxDataDepth + 1;

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const contextNames: ReadonlySet<string> = new Set(contextAttributes);

/** The event a JSON value represents (CloudEvents JSON format §3). */
export function fromJson(value: unknown): Event {
  const members = membersOf(value);
  const attributes = readMembers(members);
  checkAttributes(attributes);
  return { ...attributes, ...readData(members, attributes.datacontenttype) };
}

/** The JSON format of an event; a media type left unsaid is made explicit. */
export function toJson(event: Event): Record<string, unknown> {
  checkAttributes(event);
  const members: Record<string, unknown> = {};
  for (const name of contextAttributes) {
    if (event[name] !== undefined) members[name] = event[name];
  }
  Object.assign(members, event.extensions);
  const { data } = event;
  const datacontenttype = typeOf(event);
  if (datacontenttype !== undefined) members["datacontenttype"] = datacontenttype;
  if (data === undefined || datacontenttype === undefined) return members;
  const representation = representationOf(datacontenttype);
  if (representation === "bytes") members["data_base64"] = bytesOf(data, datacontenttype).toString("base64");
  else members["data"] = representation === "text" ? textOf(data, datacontenttype) : jsonOf(data);
  return members;
}

/** JSON.stringify would leave such a member out without a word. */
function jsonOf(data: unknown): unknown {
  if (typeof data !== "function" && typeof data !== "symbol") return data;
  throw new InvalidEventError("EVENT_DATA_INVALID", "data is not a JSON value.", { pointer: "/data" });
}

/** The body of a message in structured content mode. */
export function formatEvent(event: Event): Buffer {
  return formatJson(toJson(event), maxEventDepth);
}

/** The object's members. Throws EVENT_BODY_INVALID for any other JSON value. */
function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new InvalidEventError(
    "EVENT_BODY_INVALID",
    `Expected an event in JSON format, which is an object, got ${quote(value)}.`,
  );
}

/** Every attribute among the members; a member that is null is unset (JSON format §2.2). */
function readMembers(members: Readonly<Record<string, unknown>>): Candidate {
  const attributes = emptyCandidate();
  for (const [name, value] of Object.entries(members)) {
    if (value === null || name === "data" || name === "data_base64") continue;
    if (isContextName(name)) attributes[name] = value;
    else attributes.extensions[name] = value;
  }
  return attributes;
}

function isContextName(name: string): name is keyof Omit<Candidate, "extensions"> {
  return contextNames.has(name);
}

/** `data` may be an explicit null, unlike an attribute; `data_base64` is text, so its null is unset. */
function readData(
  members: Readonly<Record<string, unknown>>,
  datacontenttype: string | undefined,
): TypedData {
  const { data, data_base64: encoded } = members;
  if (encoded === undefined || encoded === null) {
    return data === undefined
      ? { data, datacontenttype }
      : readPlain(data, datacontenttype ?? "application/json");
  }
  if (data !== undefined && data !== null) {
    throw new InvalidEventError("EVENT_BODY_INVALID", "data and data_base64: expected only one of them.", {
      pointer: "/data_base64",
    });
  }
  if (typeof encoded !== "string" || !base64.test(encoded)) {
    throw new InvalidEventError(
      "EVENT_BODY_INVALID",
      `data_base64: expected base64, got ${quote(encoded)}.`,
      {
        pointer: "/data_base64",
      },
    );
  }
  return dataOf(Buffer.from(encoded, "base64"), datacontenttype);
}

/** A JSON value under a JSON type; under any other the text of the document, as JSON carries it. */
function readPlain(data: unknown, datacontenttype: string): TypedData {
  const representation = representationOf(datacontenttype);
  if (representation === "json") return { data, datacontenttype };
  if (data === null) return { data: undefined, datacontenttype };
  const text = textOf(data, datacontenttype);
  return { data: representation === "text" ? text : Buffer.from(text, "utf8"), datacontenttype };
}
