import {
  attributeInvalid,
  type Candidate,
  checkAttributes,
  checkContextAttribute,
  checkExtension,
  checkPresence,
  type ContextAttribute,
  emptyCandidate,
  maxAttributesLength,
} from "./attributes.ts";
import { bodyOf, dataOf } from "./data.ts";
import type { Event } from "./event.ts";
import type { EncodedMessage, HttpMessage } from "./http-message.ts";
import { decodeHeaderValue, encodeHeaderValue, isPlain } from "./percent.ts";
import { isUri, isUriReference } from "./uri.ts";

type HeaderValue = HttpMessage["headers"][string];

/**
 * What encoding a decoded value again can at most make of its header's length: a byte of raw UTF-8 becomes
 * an escape of three characters.
 */
const maxGrowth = 3;

/** The extensions AuditFlow itself sets, on nearly every event: their names need not be put together. */
const ownExtensions = [
  "traceparent",
  "tracestate",
  "correlationid",
  "causationid",
  "partitionkey",
  "severitytext",
] as const;
const headerByExtension: ReadonlyMap<string, string> = new Map(
  ownExtensions.map((name) => [name, `ce-${name}`]),
);
const extensionByHeader: ReadonlyMap<string, string> = new Map(
  ownExtensions.map((name) => [`ce-${name}`, name]),
);

/** The event of a message in binary content mode (CloudEvents HTTP binding §3.1). */
export function fromBinary({ headers, body }: HttpMessage): Event {
  const attributes = emptyCandidate();
  let length = 0;
  for (const header in headers) {
    const value = headers[header];
    if (value !== undefined) length += readHeader(attributes, header, value);
  }
  if (length * maxGrowth > maxAttributesLength) checkAttributes(attributes);
  else checkPresence(attributes);
  const { data, datacontenttype } = dataOf(body, attributes.datacontenttype);
  const { specversion, id, source, type, subject, time, dataschema, extensions } = attributes;
  return { specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions, data };
}

/** A message in binary content mode; integers and booleans become their string encoding. */
export function toBinary(event: Event): EncodedMessage {
  checkAttributes(event);
  const { body, datacontenttype } = bodyOf(event);
  const { id, source, type, subject, time, dataschema, extensions } = event;
  // Each header is named here: computed names cost several times as much.
  const headers: Record<string, string> = {
    "ce-specversion": "1.0",
    "ce-id": encodeHeaderValue(id),
    "ce-source": encodeHeaderValue(source),
    "ce-type": encodeHeaderValue(type),
  };
  if (subject !== undefined) headers["ce-subject"] = encodeHeaderValue(subject);
  if (time !== undefined) headers["ce-time"] = encodeHeaderValue(time);
  if (dataschema !== undefined) headers["ce-dataschema"] = encodeHeaderValue(dataschema);
  for (const name in extensions)
    headers[headerByExtension.get(name) ?? `ce-${name}`] = encodeHeaderValue(String(extensions[name]));
  if (datacontenttype !== undefined) headers["content-type"] = datacontenttype;
  return { headers, body };
}

/**
 * Sets the attribute a header carries, if it carries one; answers what it adds to the length of all. Each
 * attribute is named here, because assigning to computed names costs several times as much.
 */
export function readHeader(attributes: Candidate, header: string, value: HeaderValue): number {
  switch (header) {
    case "ce-specversion":
      attributes.specversion = readText("specversion", value, attributes.specversion);
      break;
    case "ce-id":
      attributes.id = readText("id", value, attributes.id);
      break;
    case "ce-source":
      attributes.source = readText("source", value, attributes.source);
      break;
    case "ce-type":
      attributes.type = readText("type", value, attributes.type);
      break;
    case "ce-subject":
      attributes.subject = readText("subject", value, attributes.subject);
      break;
    case "ce-time":
      attributes.time = readText("time", value, attributes.time);
      break;
    case "ce-dataschema":
      attributes.dataschema = readText("dataschema", value, attributes.dataschema);
      break;
    case "content-type":
      attributes.datacontenttype = readContentType(value, attributes.datacontenttype);
      break;
    default:
      return readOther(attributes, header, value);
  }
  return header.length + (value?.length ?? 0);
}

/** A header in other case, an extension, or one that has nothing to do with the event. */
function readOther(attributes: Candidate, header: string, value: HeaderValue): number {
  const own = extensionByHeader.get(header);
  if (own !== undefined) {
    readExtension(attributes.extensions, own, value);
    return header.length + (value?.length ?? 0);
  }
  if ((header.charCodeAt(0) | 0x20) !== 0x63 || !/^(?:ce-|content-type$)/i.test(header)) return 0;
  const lowerCase = header.toLowerCase();
  if (lowerCase !== header) return readHeader(attributes, lowerCase, value);
  readExtension(attributes.extensions, header.slice("ce-".length), value);
  return header.length + (value?.length ?? 0);
}

function readText(name: ContextAttribute, value: HeaderValue, previous: unknown): string {
  if (previous !== undefined) throw attributeInvalid(name, value, "one header");
  const plain = typeof value === "string" && isPlain(value);
  const decoded = plain ? value : decode(name, value);
  checkContextAttribute(name, decoded, plain);
  return decoded;
}

/** A media type is not percent-encoded, and an empty Content-Type is none. */
function readContentType(value: HeaderValue, previous: unknown): HeaderValue {
  if (previous !== undefined) throw attributeInvalid("datacontenttype", value, "one header");
  if (value === "") return undefined;
  checkContextAttribute("datacontenttype", value);
  return value;
}

function readExtension(extensions: Candidate["extensions"], name: string, value: HeaderValue): void {
  if (name === "datacontenttype") throw attributeInvalid(name, value, "the Content-Type header in its place");
  if (Object.hasOwn(extensions, name)) throw attributeInvalid(name, value, "one header");
  const plain = typeof value === "string" && isPlain(value);
  const decoded = plain ? value : decode(name, value);
  checkExtension(name, decoded, plain);
  extensions[name] = decoded;
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
