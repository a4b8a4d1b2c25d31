import type { Event } from "./event.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";
import { isEventFormat, isMediaType } from "./media-type.ts";
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

const contextNames: ReadonlySet<string> = new Set(contextAttributes);
const required = ["specversion", "id", "source", "type"] as const;
/** Most values; a regular expression beats a loop here. */
const visibleAscii = /^[!-~]*$/;
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
  let length = 0;
  for (const name of contextAttributes) {
    const value: unknown = event[name];
    if (value !== undefined) length += checkContextAttribute(name, value);
  }
  for (const name in event.extensions) length += checkExtension(name, event.extensions[name]);
  checkPresence(event);
  if (length <= maxAttributesLength) return;
  throw new InvalidEventError(
    "EVENT_ATTRIBUTE_INVALID",
    `The attributes take ${length} characters as headers: expected at most ${maxAttributesLength}.`,
  );
}

/** What is left of `checkAttributes` where each attribute was checked alone and they cannot be too long. */
export function checkPresence(event: Candidate | Context): asserts event is Context {
  for (const name of required) {
    if (event[name] !== undefined) continue;
    throw new InvalidEventError("EVENT_ATTRIBUTE_MISSING", `Attribute ${name} is missing.`, {
      pointer: `/${name}`,
    });
  }
}

/**
 * The length of the attribute as a header, when it is valid; else throws. `isPlain` spares the look at
 * each character where the caller has had it already.
 */
export function checkContextAttribute(name: ContextAttribute, value: unknown, isPlain = false): number {
  if (typeof value !== "string") throw attributeInvalid(name, value, "text");
  if (value === "") throw attributeInvalid(name, value, "text that is not empty");
  const length = name.length + (isPlain ? value.length : checkText(name, value));
  const expected = unmetExpectation(name, value);
  if (expected !== undefined) throw attributeInvalid(name, value, expected);
  return length;
}

/** What an attribute should be beyond text, and is not. Of the versions 0.3 encodes data differently. */
function unmetExpectation(name: ContextAttribute, value: string): string | undefined {
  switch (name) {
    case "specversion":
      return value === "1.0" ? undefined : '"1.0"';
    case "source":
      return isUriReference(value) ? undefined : 'a URI-reference such as "/my/app"';
    case "time":
      return isRfc3339(value) ? undefined : 'an RFC 3339 date and time such as "2026-11-21T12:00:00Z"';
    case "datacontenttype":
      if (!isMediaType(value)) return 'a media type such as "application/json"';
      // In binary mode the Content-Type would say that the whole message is an event in JSON.
      return isEventFormat(value) ? "a media type other than that of an event" : undefined;
    case "dataschema":
      return isUri(value) ? undefined : "an absolute URI";
    case "id":
    case "type":
    case "subject":
      break;
  }
  return undefined;
}

/** As `checkContextAttribute`, of an extension attribute. */
export function checkExtension(name: string, value: unknown, isPlain = false): number {
  if (!isExtensionName(name)) {
    throw new InvalidEventError(
      "EVENT_ATTRIBUTE_INVALID",
      `Attribute ${quote(name)}: expected a name of lower-case letters and digits, other than "data".`,
      { pointer: `/${name.slice(0, 100).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1")}` },
    );
  }
  if (typeof value === "string") return name.length + (isPlain ? value.length : checkText(name, value));
  if (typeof value === "boolean" || (typeof value === "number" && (value | 0) === value)) {
    return name.length + String(value).length;
  }
  throw attributeInvalid(name, value, "text, a boolean, or an integer of 32 bits");
}

function isExtensionName(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const unit = name.charCodeAt(index);
    if ((unit < 0x61 || unit > 0x7a) && (unit < 0x30 || unit > 0x39)) return false;
  }
  return name !== "" && name !== "data" && !contextNames.has(name);
}

/** The length of the value as a header, when it is a CloudEvents String. */
function checkText(name: string, value: string): number {
  if (visibleAscii.test(value)) return value.length;
  if (!value.isWellFormed()) throw attributeInvalid(name, value, "text without unpaired surrogates");
  if (forbiddenText.test(value)) {
    throw attributeInvalid(name, value, "text without control characters and noncharacters");
  }
  return encodeHeaderValue(value).length;
}

/** The error for an attribute whose value breaks the rule `expected` tells. */
export function attributeInvalid(name: string, value: unknown, expected: string): InvalidEventError {
  return new InvalidEventError(
    "EVENT_ATTRIBUTE_INVALID",
    `Attribute ${name}: expected ${expected}, got ${quote(value)}.`,
    { pointer: `/${name}` },
  );
}
