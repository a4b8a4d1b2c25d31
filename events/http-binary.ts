import {
  attributeInvalid,
  type Candidate,
  checkAttributes,
  checkContextAttribute,
  checkExtension,
  checkWhole,
  contextAttributes,
  type ContextAttribute,
  emptyCandidate,
} from "./attributes.ts";
import { bodyOf, dataOf } from "./data.ts";
import type { Event } from "./event.ts";
import type { EncodedMessage, HttpMessage } from "./http-message.ts";
import { decodeHeaderValue, encodeHeaderValue, isPlain } from "./percent.ts";
import { isUri, isUriReference } from "./uri.ts";

type HeaderValue = HttpMessage["headers"][string];

/** Header names as Node gives them, and the attribute each carries. */
const attributeOfHeader: ReadonlyMap<string, ContextAttribute> = new Map(
  contextAttributes.map((name) => [name === "datacontenttype" ? "content-type" : `ce-${name}`, name]),
);

/** The event of a message in binary content mode (CloudEvents HTTP binding §3.1). */
export function fromBinary({ headers, body }: HttpMessage): Event {
  const attributes = emptyCandidate();
  let length = 0;
  for (const header in headers) {
    const value = headers[header];
    if (value !== undefined) length += readHeader(attributes, header, value);
  }
  checkWhole(attributes, length);
  const { data, datacontenttype } = dataOf(body, attributes.datacontenttype);
  const { specversion, id, source, type, subject, time, dataschema, extensions } = attributes;
  return { specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions, data };
}

/** A message in binary content mode; integers and booleans become their string encoding. */
export function toBinary(event: Event): EncodedMessage {
  checkAttributes(event);
  const { body, datacontenttype } = bodyOf(event);
  const headers: Record<string, string> = { "ce-specversion": "1.0" };
  for (const name of ["id", "source", "type", "subject", "time", "dataschema"] as const) {
    const value = event[name];
    if (value !== undefined) headers[`ce-${name}`] = encodeHeaderValue(value);
  }
  for (const [name, value] of Object.entries(event.extensions)) {
    headers[`ce-${name}`] = encodeHeaderValue(String(value));
  }
  if (datacontenttype !== undefined) headers["content-type"] = datacontenttype;
  return { headers, body };
}

/** Sets the attribute a header carries, if it does; the length of the attribute as a header. */
export function readHeader(attributes: Candidate, header: string, value: HeaderValue): number {
  const name = attributeOfHeader.get(header);
  if (name !== undefined) return readContextAttribute(attributes, name, value);
  if (!isCandidate(header)) return 0;
  const lowerCase = header.toLowerCase();
  if (lowerCase !== header) return readHeader(attributes, lowerCase, value);
  return readExtension(attributes, header.slice("ce-".length), value);
}

/** Sorts out most headers at their first letter. */
function isCandidate(header: string): boolean {
  return (header.charCodeAt(0) | 0x20) === 0x63 && /^(?:ce-|content-type$)/i.test(header);
}

function readContextAttribute(attributes: Candidate, name: ContextAttribute, value: HeaderValue): number {
  if (attributes[name] !== undefined) throw attributeInvalid(name, value, "one header");
  // A media type is not percent-encoded, and an empty Content-Type is none.
  if (name === "datacontenttype") {
    if (value === "") return 0;
    attributes.datacontenttype = value;
    return checkContextAttribute(name, value);
  }
  const plain = typeof value === "string" && isPlain(value);
  const decoded = plain ? value : decode(name, value);
  attributes[name] = decoded;
  return checkContextAttribute(name, decoded, plain);
}

function readExtension(attributes: Candidate, name: string, value: HeaderValue): number {
  if (name === "datacontenttype") throw attributeInvalid(name, value, "the Content-Type header in its place");
  if (Object.hasOwn(attributes.extensions, name)) throw attributeInvalid(name, value, "one header");
  const plain = typeof value === "string" && isPlain(value);
  const decoded = plain ? value : decode(name, value);
  const length = checkExtension(name, decoded, plain);
  attributes.extensions[name] = decoded;
  return length;
}

/**
 * A URI has percent-escapes of its own. Where decoding leaves something that is not a URI although the
 * header was one, the sender did not encode (Knative's dispatcher does not), and the header stands.
 */
function decode(name: string, value: HeaderValue): string {
  const decoded = typeof value === "string" ? decodeHeaderValue(value) : undefined;
  if (decoded === undefined || typeof value !== "string") {
    throw attributeInvalid(name, value, "one value of percent-encoded UTF-8");
  }
  if (name === "source") return !isUriReference(decoded) && isUriReference(value) ? value : decoded;
  if (name === "dataschema") return !isUri(decoded) && isUri(value) ? value : decoded;
  return decoded;
}
