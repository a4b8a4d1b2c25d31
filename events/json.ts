import { isUtf8 } from "node:buffer";

import { InvalidEventError } from "./invalid-event.ts";

/**
 * JSON as events carry it: RFC 8259, restricted to what survives being parsed, stored and written again
 * (much as I-JSON, RFC 7493, does). Refused are: bytes that are not UTF-8, a byte order mark, nesting
 * deeper than `maxDataDepth`, unpaired surrogates, numbers beyond the range of a double, which would turn
 * into `null`, and members named `__proto__`, which no careless assignment further on may meet. Of
 * duplicate members the last counts, as `JSON.parse` has it; everybody behind the codec sees only that.
 */

/** Objects and arrays inside each other, in `data`. An event around it adds one level, a batch two. */
export const maxDataDepth = 64;

/**
 * The JSON value of these bytes. Throws InvalidEventError: EVENT_BODY_INVALID or EVENT_TOO_DEEP; `pointer`
 * is where in the event the value belongs.
 */
export function parseJson(bytes: Buffer, maxDepth: number = maxDataDepth, pointer = ""): unknown {
  const { value, escaped } = readJson(bytes, maxDepth);
  checkJson(value, { escaped, pointer });
  return value;
}

/** A parsed document, which `checkJson` has not seen yet. */
export interface ReadJson {
  readonly value: unknown;
  /** The text has escapes: without them it cannot hold an unpaired surrogate, being UTF-8. */
  readonly escaped: boolean;
}

/** As `parseJson`, but leaves it to the caller to pass the value, or each of its parts, to `checkJson`. */
export function readJson(bytes: Buffer, maxDepth: number): ReadJson {
  if (!isUtf8(bytes)) throw new InvalidEventError("EVENT_BODY_INVALID", "The body is not valid UTF-8.");
  const text = bytes.toString("utf8");
  checkDepth(text, maxDepth);
  try {
    return { value: JSON.parse(text), escaped: text.includes("\\u") };
  } catch (cause) {
    throw new InvalidEventError("EVENT_BODY_INVALID", `The body is not JSON: ${reasonOf(cause, text)}.`, {
      cause,
    });
  }
}

/** The bytes of a JSON value; refuses what `parseJson` would refuse, so that whoever receives it can read it. */
export function formatJson(value: unknown, maxDepth: number = maxDataDepth): Buffer {
  const text = textOf(value);
  checkDepth(text, maxDepth);
  // Nothing else can be in the text that a receiver refuses.
  if (text.includes("\\u") || text.includes("__proto__")) checkJson(JSON.parse(text), { escaped: true });
  return Buffer.from(text, "utf8");
}

function textOf(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === "string") return text;
  } catch (cause) {
    throw new InvalidEventError("EVENT_DATA_INVALID", "data cannot be written as JSON.", { cause });
  }
  throw new InvalidEventError("EVENT_DATA_INVALID", "data is not a JSON value.");
}

interface CheckOptions {
  readonly escaped: boolean;
  /** Where in the event the value belongs. */
  readonly pointer?: string;
}

/** Throws EVENT_BODY_INVALID when a parsed value holds something that would not survive. */
export function checkJson(value: unknown, { escaped, pointer = "" }: CheckOptions): void {
  if (!isFit(value, escaped)) throw unfit(value, pointer);
}

/** Runs for every event: one look at each value, and nothing allocated. */
function isFit(value: unknown, escaped: boolean): boolean {
  if (typeof value === "string") return !escaped || value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (!isObject(value)) return true;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isFit(value[index], escaped)) return false;
    return true;
  }
  for (const name in value) {
    if (name === "__proto__" || (escaped && !name.isWellFormed())) return false;
    if (!isFit(value[name], escaped)) return false;
  }
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Finds the place again that `isFit` objected to, for the message. */
function unfit(value: unknown, place: string): InvalidEventError {
  for (const [name, member] of isObject(value) ? Object.entries(value) : []) {
    const next = `${place}/${name.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (name === "__proto__") return unfitAt(next, "a member named __proto__");
    if (!name.isWellFormed()) return unfitAt(next, "a name with an unpaired surrogate");
    if (!isFit(member, true)) return unfit(member, next);
  }
  return unfitAt(
    place,
    typeof value === "number" ? "a number beyond the range of a double" : "an unpaired surrogate",
  );
}

function unfitAt(place: string, what: string): InvalidEventError {
  const pointer = place.slice(0, 1024).toWellFormed();
  return new InvalidEventError("EVENT_BODY_INVALID", `The JSON has ${what} at "${pointer}".`, { pointer });
}

function reasonOf(cause: unknown, text: string): string {
  if (text === "") return "it is empty";
  if (text.startsWith("\uFEFF")) return "it begins with a byte order mark";
  return cause instanceof Error ? cause.message.slice(0, 200).toWellFormed() : "it cannot be parsed";
}

/**
 * Refuses nesting beyond the limit before anything is built from the text. Counting brackets is cheap and
 * settles nearly every document: with fewer of them than levels it cannot be too deep.
 */
function checkDepth(text: string, maxDepth: number): void {
  const brackets = countUpTo(text, "{", maxDepth) + countUpTo(text, "[", maxDepth);
  if (brackets <= maxDepth || depthOf(text, maxDepth) <= maxDepth) return;
  throw new InvalidEventError("EVENT_TOO_DEEP", `The JSON is nested deeper than ${maxDepth} levels.`);
}

/** How often the bracket occurs, counting no further than one beyond the limit. */
function countUpTo(text: string, bracket: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at >= 0 && count <= limit; at = text.indexOf(bracket, at + 1)) count++;
  return count;
}

/** The nesting of a JSON text, giving up one beyond the limit; brackets inside strings do not count. */
function depthOf(text: string, limit: number): number {
  let [depth, deepest] = [0, 0];
  for (let index = 0; index < text.length && deepest <= limit; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) index = endOfString(text, index);
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return deepest;
}

/** The index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x5c) index++;
    else if (unit === 0x22) return index;
  }
  return text.length;
}
