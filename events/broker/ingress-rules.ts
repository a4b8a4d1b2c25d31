import { essenceOf } from "../media-type.ts";
import type { HeaderValue } from "./broker.ts";

/** Not an event that this broker accepts; the ingress answers 400. */
export class MessageError extends Error {
  override readonly name = "MessageError";
}

/** Attributes every event has, in the order they are checked. */
const requiredAttributes = ["id", "type", "source"] as const;

/** What stands for an absent `time` on the queue, as the Knative ingress writes it. */
export const absentTime = "0001-01-01T00:00:00Z";

const dateTime = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 in UTC with up to nanoseconds, as Go prints it; `undefined` when the text is no such time. */
export function normalizeTime(text: string): string | undefined {
  const [, base, fraction = "", zone] = dateTime.exec(text) ?? [];
  if (base === undefined) return undefined;
  const ms = Date.parse(`${base}${zone}`);
  if (Number.isNaN(ms) || base.includes("T24")) return undefined;
  const utc = new Date(ms).toISOString().replace(/\.\d+Z$/, "");
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  if (!/^\d{4}-/.test(utc)) return undefined;
  return `${utc}${digits && `.${digits}`}Z`;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const mediaType = new RegExp(
  `^${token}(?:/${token})?(?:\\s*;\\s*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))*\\s*;?\\s*$`,
);

/** Whether data of this media type stands in a structured event as JSON; so does data of none. */
export function isJson(contentType: string): boolean {
  return contentType === "" || /^(?:application|text)\/json$|\+json$/.test(essenceOf(contentType));
}

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** The value of an extension attribute: a string, an int32 or a boolean; throws otherwise. */
export function parseExtension(name: string, value: unknown): HeaderValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= int32.min && value <= int32.max) {
    return value;
  }
  throw new MessageError(`extension '${name}' is neither a string, a boolean nor a 32-bit integer`);
}

/** Of names and values together. AMQP could carry little more, and subscribers have to take them as headers. */
const maxAttributesBytes = 64 * 1024;

/**
 * Checks names and forms as the Knative ingress does, and the size, which is ours: there, attributes that
 * are too long are a 500 for ever or a 4xx of the subscriber that loses the event. Throws `MessageError`.
 */
export function checkAttributes(
  attributes: Readonly<Record<string, HeaderValue>>,
  contentType: string,
): void {
  const { specversion, source, dataschema } = attributes;
  if (specversion !== "1.0" && specversion !== "0.3") {
    throw new MessageError(`specversion '${String(specversion)}' is not 1.0 or 0.3`);
  }
  const missing = requiredAttributes.filter((name) => (attributes[name] ?? "") === "");
  if (missing.length > 0) throw new MessageError(`missing ${missing.join(", ")}`);
  const bytes = Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(String(value)),
    0,
  );
  if (bytes > maxAttributesBytes) {
    throw new MessageError(`the attributes take ${bytes} bytes, at most ${maxAttributesBytes} are accepted`);
  }
  const misnamed = Object.keys(attributes).find((name) => !/^[a-z0-9]+$/.test(name));
  if (misnamed !== undefined) throw new MessageError(`'${misnamed}' is not an attribute name`);
  if (!isUriReference(String(source))) throw new MessageError("source is not a URI reference");
  if (dataschema !== undefined && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(String(dataschema))) {
    throw new MessageError("dataschema is not an absolute URI");
  }
  if (contentType !== "" && !mediaType.test(contentType)) {
    throw new MessageError("datacontenttype is not a media type");
  }
}

/** What Go's `url.Parse` refuses; it admits more than RFC 3986, and so does the ingress. */
function isUriReference(text: string): boolean {
  return !/\p{Control}|%(?![0-9A-Fa-f]{2})|^:/u.test(text);
}
