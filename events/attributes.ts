import type { Event } from "./event.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";
import { isMediaType } from "./media-type.ts";
import { encodeHeaderValue } from "./percent.ts";
import { isRfc3339 } from "./time.ts";
import { isUri, isUriReference } from "./uri.ts";

/**
 * All attributes of an event, with their names and percent-encoded, may take this much, so that an event
 * that came in as JSON can also travel as headers: Node refuses a request whose headers exceed 16 KiB
 * with a 4xx, which a broker takes for success.
 */
export const maxAttributesLength = 8192;

/** The context attributes of CloudEvents 1.0; every other name is an extension's. */
export const contextAttributes = [
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
] as const;

export type ContextAttribute = (typeof contextAttributes)[number];

const required = ["id", "source", "type"] as const;
const attributeName = /^[a-z0-9]+$/;
const forbiddenText = /[\p{Control}\p{Noncharacter_Code_Point}]/u;

/** The attributes of an event, whatever they hold. */
export type Candidate = Record<ContextAttribute, unknown> & { extensions: Record<string, unknown> };

/** The attributes of an event, without its data. */
export type Context = Omit<Event, "data">;

/** Attributes none of which is set yet. */
export function emptyCandidate(): Candidate {
  return {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: {},
  };
}

/** Throws EVENT_ATTRIBUTE_… unless every attribute satisfies CloudEvents 1.0 §3 and §4. */
export function checkAttributes(event: Candidate | Context): asserts event is Context {
  checkVersion(event.specversion);
  let length = 0;
  for (const name of required) {
    if (event[name] === undefined) throw missing(name);
  }
  for (const name of contextAttributes) {
    const value: unknown = event[name];
    if (value !== undefined) length += name.length + checkContextAttribute(name, value);
  }
  for (const name in event.extensions) length += name.length + checkExtension(name, event.extensions[name]);
  if (length > maxAttributesLength) {
    throw new InvalidEventError(
      "EVENT_ATTRIBUTE_INVALID",
      `The attributes take ${length} characters as headers: expected at most ${maxAttributesLength}.`,
    );
  }
}

/** Only 1.0 is understood: 0.3 differs in the encoding of data, and nothing later exists. */
function checkVersion(specversion: unknown): void {
  if (specversion === "1.0") return;
  if (specversion === undefined || specversion === null) throw missing("specversion");
  throw attributeInvalid("specversion", specversion, '"1.0"');
}

/** The length of the value as a header, when it is valid. */
function checkContextAttribute(name: ContextAttribute, value: unknown): number {
  if (typeof value !== "string") throw attributeInvalid(name, value, "text");
  if (value === "") throw attributeInvalid(name, value, "text that is not empty");
  const length = checkText(name, value);
  if (name === "source" && !isUriReference(value)) {
    throw attributeInvalid(name, value, 'a URI-reference such as "/my/app"');
  }
  if (name === "time" && !isRfc3339(value)) {
    throw attributeInvalid(name, value, 'an RFC 3339 date and time such as "2026-11-21T12:00:00Z"');
  }
  if (name === "datacontenttype" && !isMediaType(value)) {
    throw attributeInvalid(name, value, 'a media type such as "application/json"');
  }
  if (name === "dataschema" && !isUri(value)) throw attributeInvalid(name, value, "an absolute URI");
  return length;
}

function checkExtension(name: string, value: unknown): number {
  checkExtensionName(name);
  if (typeof value === "string") return checkText(name, value);
  if (typeof value === "boolean" || (typeof value === "number" && (value | 0) === value)) {
    return String(value).length;
  }
  throw attributeInvalid(name, value, "text, a boolean, or an integer of 32 bits");
}

/** Throws unless an extension may be called this. */
export function checkExtensionName(name: string): void {
  if (attributeName.test(name) && name !== "data" && !isContextAttribute(name)) return;
  throw new InvalidEventError(
    "EVENT_ATTRIBUTE_INVALID",
    `Attribute ${quote(name)}: expected a name of lower-case letters and digits, other than "data".`,
    { pointer: `/${name.slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1")}` },
  );
}

function isContextAttribute(name: string): boolean {
  return (contextAttributes as readonly string[]).includes(name);
}

/** The length of the value as a header, when it is a CloudEvents String. */
function checkText(name: string, value: string): number {
  if (isVisibleAscii(value)) return value.length;
  if (!value.isWellFormed()) throw attributeInvalid(name, value, "text without unpaired surrogates");
  if (forbiddenText.test(value)) {
    throw attributeInvalid(name, value, "text without control characters and noncharacters");
  }
  return encodeHeaderValue(value).length;
}

function isVisibleAscii(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x21 || unit > 0x7e) return false;
  }
  return true;
}

function missing(name: string): InvalidEventError {
  return new InvalidEventError("EVENT_ATTRIBUTE_MISSING", `Attribute ${name} is missing.`, {
    pointer: `/${name}`,
  });
}

/** The error for an attribute whose value breaks the rule `expected` tells. */
export function attributeInvalid(name: string, value: unknown, expected: string): InvalidEventError {
  return new InvalidEventError(
    "EVENT_ATTRIBUTE_INVALID",
    `Attribute ${name}: expected ${expected}, got ${quote(value)}.`,
    { pointer: `/${name}` },
  );
}
