import {
  attributeInvalid,
  type Candidate,
  checkAttributes,
  checkExtensionName,
  emptyCandidate,
} from "./attributes.ts";
import { bodyOf, dataOf } from "./data.ts";
import type { Event } from "./event.ts";
import type { EncodedMessage, HttpMessage } from "./http-message.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./percent.ts";
import { isUri, isUriReference } from "./uri.ts";

type HeaderValue = HttpMessage["headers"][string];

/** The event of a message in binary content mode (CloudEvents HTTP binding §3.1). */
export function fromBinary(message: HttpMessage): Event {
  const attributes = readAttributes(message.headers);
  checkAttributes(attributes);
  return { ...attributes, ...dataOf(message.body, attributes.datacontenttype) };
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

/** What the headers say, decoded but not yet checked, except for what a later check could not see. */
export function readAttributes(headers: HttpMessage["headers"]): Candidate {
  const attributes = emptyCandidate();
  for (const header in headers) {
    const value = headers[header];
    if (value !== undefined) readHeader(attributes, header, value);
  }
  return attributes;
}

function readHeader(attributes: Candidate, header: string, value: HeaderValue): void {
  const name = header.toLowerCase();
  if (name === "content-type") attributes.datacontenttype = value === "" ? undefined : value;
  else if (name.startsWith("ce-")) readAttribute(attributes, name.slice(3), value);
}

function readAttribute(attributes: Candidate, name: string, value: HeaderValue): void {
  switch (name) {
    case "specversion":
    case "id":
    case "type":
    case "time":
    case "subject":
      if (attributes[name] !== undefined) throw attributeInvalid(name, value, "one header");
      attributes[name] = decode(name, value);
      break;
    case "source":
    case "dataschema":
      if (attributes[name] !== undefined) throw attributeInvalid(name, value, "one header");
      attributes[name] = decodeUri(name, value);
      break;
    case "datacontenttype":
      throw attributeInvalid(name, value, "the Content-Type header in its place");
    default:
      checkExtensionName(name);
      if (Object.hasOwn(attributes.extensions, name)) throw attributeInvalid(name, value, "one header");
      attributes.extensions[name] = decode(name, value);
  }
}

function decode(name: string, value: HeaderValue): string {
  const decoded = typeof value === "string" ? decodeHeaderValue(value) : undefined;
  if (decoded === undefined) throw attributeInvalid(name, value, "one value of percent-encoded UTF-8");
  return decoded;
}

/**
 * A URI has percent-escapes of its own. Where decoding leaves something that is not a URI although the
 * header was one, the sender did not encode (Knative's dispatcher does not), and the header stands.
 */
function decodeUri(name: "source" | "dataschema", value: HeaderValue): string {
  const decoded = decode(name, value);
  if (decoded === value || typeof value !== "string") return decoded;
  const isValid = name === "source" ? isUriReference : isUri;
  return !isValid(decoded) && isValid(value) ? value : decoded;
}
