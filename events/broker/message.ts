import { isUtf8 } from "node:buffer";

import { essenceOf } from "../media-type.ts";
import type { HeaderValue, Message } from "./broker.ts";
import {
  absentTime,
  checkAttributes,
  isJson,
  MessageError,
  normalizeTime,
  parseExtension,
} from "./ingress-rules.ts";
import { rawMember } from "./raw-json.ts";

/** Header fields as `node:http` gives them (`headersDistinct`), names in lower case. */
type HeaderFields = Readonly<Record<string, readonly string[] | undefined>>;

/** One HTTP message: a request to the ingress or a subscriber's answer. */
export interface HttpContent {
  readonly headers: HeaderFields;
  readonly body: Buffer;
}

/** An event whose attributes are read and not yet checked. */
export interface Draft {
  readonly attributes: Readonly<Record<string, HeaderValue>>;
  /** Media type of the data, "" when it has none. */
  readonly contentType: string;
  readonly body: Buffer;
}

const structured = "application/cloudevents+json";

/**
 * Reads an event off an HTTP message, binary or structured, as the Knative ingress does: data stays byte
 * for byte, header values are not percent-decoded, names are lower-cased. More lenient than the codec of
 * the functions, which must see what a cluster's broker would let through. Stricter than the real one in
 * one point: a fractional number in an attribute is refused, not truncated.
 *
 * `undefined` when the message does not claim to be an event; throws `MessageError` when it is none.
 */
export function readDraft({ headers, body }: HttpContent): Draft | undefined {
  const contentType = textOf(headers["content-type"]) ?? "";
  const essence = essenceOf(contentType);
  if (essence === structured) return readStructured(body, headers);
  if (essence.startsWith("application/cloudevents")) {
    throw new MessageError(`'${essence}' is not accepted: send one event, binary or ${structured}`);
  }
  const named = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  if (named.length === 0) return undefined;
  const own = named.map(([name, values]) => [name.slice("ce-".length), textOf(values) ?? ""] as const);
  return { attributes: { ...traceOf(headers), ...Object.fromEntries(own) }, contentType, body };
}

/** The message for the queue; throws `MessageError` when an attribute is missing or malformed. */
export function toMessage({ attributes, contentType, body }: Draft): Message {
  checkAttributes(attributes, contentType);
  const time = attributes["time"] === undefined ? absentTime : normalizeTime(String(attributes["time"]));
  if (time === undefined) throw new MessageError("time is not an RFC 3339 timestamp");
  return { headers: { ...attributes, "content-type": contentType, time }, body };
}

/** A request ready to be sent: values one latin-1 character per byte. */
export interface OutgoingRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * The binary-mode request a subscriber gets. Values travel as raw UTF-8, not percent-encoded, as from the
 * Knative dispatcher. Control characters cannot: `undefined` unless they are to be escaped.
 */
export function toRequest(
  { headers, body }: Message,
  { escape }: { readonly escape: boolean },
): OutgoingRequest | undefined {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const plain = transportFields.has(name);
    const text = escape ? escapeControls(String(value)) : String(value);
    if (control.test(text)) return undefined;
    if (!plain || text !== "") fields[plain ? name : `ce-${name}`] = Buffer.from(text).toString("latin1");
  }
  return { headers: fields, body };
}

const control = /\p{Control}/u;

function escapeControls(text: string): string {
  return text.replaceAll(/\p{Control}/gu, encodeURIComponent);
}

/** Attributes that travel as HTTP header fields of their own. */
const transportFields = new Set(["content-type", "traceparent", "tracestate"]);

function readStructured(body: Buffer, headers: HeaderFields): Draft {
  if (!isUtf8(body)) throw new MessageError("the body is not UTF-8");
  const text = body.toString("utf8");
  const members = parseObject(text);
  const { data, data_base64: base64, datacontenttype, ...rest } = members;
  const contentType = datacontenttype ?? "";
  if (typeof contentType !== "string") throw new MessageError("datacontenttype is not a string");
  const present = Object.entries(rest).filter(([, value]) => value !== null);
  const attributes = Object.fromEntries(
    present.map(([name, value]) => [name.toLowerCase(), attributeOf(name, value)] as const),
  );
  const read = () =>
    data === undefined ? Buffer.alloc(0) : dataOf(data, rawMember(text, "data"), contentType);
  return {
    attributes: { ...traceOf(headers), ...attributes },
    contentType,
    body: typeof base64 === "string" ? Buffer.from(base64, "base64") : read(),
  };
}

const stringAttributes = new Set(["specversion", "id", "source", "type", "subject", "time", "dataschema"]);

function attributeOf(name: string, value: unknown): HeaderValue {
  if (stringAttributes.has(name) && typeof value !== "string") {
    throw new MessageError(`${name} is not a string`);
  }
  return parseExtension(name, value);
}

function dataOf(data: unknown, raw: string | undefined, contentType: string): Buffer {
  if (isJson(contentType)) return Buffer.from(raw ?? "");
  if (typeof data !== "string") throw new MessageError(`data of '${contentType}' is not a string`);
  return Buffer.from(data);
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MessageError("the body is not JSON", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MessageError("the body is not a JSON object");
  }
  return { ...value };
}

/** W3C trace context of the transport; an attribute of the same name takes precedence. */
function traceOf(headers: HeaderFields): Record<string, string> {
  const traceparent = textOf(headers["traceparent"]);
  const tracestate = textOf(headers["tracestate"]);
  return { ...(traceparent && { traceparent }), ...(traceparent && tracestate && { tracestate }) };
}

/** A field's first value; Node reads header bytes as latin-1, the text in them is UTF-8 where it can be. */
function textOf(values: readonly string[] | undefined): string | undefined {
  const value = values?.[0];
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : value;
}
