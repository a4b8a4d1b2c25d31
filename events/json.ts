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
 * What only a document that may break a rule above contains: an escape (of a surrogate, or one that
 * spells a member's name), the name itself, a large exponent, a very long number.
 */
const suspicious = /\\u|__proto__|\d[eE]\+?\d{3}|\d{300}/;

/**
 * The JSON value of these bytes. Throws InvalidEventError: EVENT_BODY_INVALID or EVENT_TOO_DEEP; `pointer`
 * is where in the event the value belongs.
 */
export function parseJson(bytes: Buffer, maxDepth: number = maxDataDepth, pointer = ""): unknown {
  const { value, suspect } = readJson(bytes, maxDepth);
  if (suspect) checkJson(value, pointer);
  return value;
}

/** As `parseJson`, but leaves it to the caller to pass `value`, or its parts, to `checkJson` if `suspect`. */
export function readJson(bytes: Buffer, maxDepth: number): { value: unknown; suspect: boolean } {
  if (!isUtf8(bytes)) throw new InvalidEventError("EVENT_BODY_INVALID", "The body is not valid UTF-8.");
  const text = bytes.toString("utf8");
  checkDepth(text, maxDepth);
  try {
    return { value: JSON.parse(text), suspect: suspicious.test(text) };
  } catch (cause) {
    throw new InvalidEventError("EVENT_BODY_INVALID", `The body is not JSON: ${reasonOf(cause, text)}.`, {
      cause,
    });
  }
}

/** The bytes of a JSON value; refuses what `parseJson` would refuse, so that whoever receives it can read it. */
export function formatJson(value: unknown, maxDepth: number = maxDataDepth): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidEventError("EVENT_DATA_INVALID", "data cannot be written as JSON.", { cause });
  }
  if (text === undefined) throw new InvalidEventError("EVENT_DATA_INVALID", "data is not a JSON value.");
  checkDepth(text, maxDepth);
  if (suspicious.test(text)) checkJson(JSON.parse(text));
  return Buffer.from(text, "utf8");
}

/** Throws EVENT_BODY_INVALID when a parsed value holds something that would not survive. */
export function checkJson(value: unknown, pointer = ""): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw unfit("a text with an unpaired surrogate", pointer);
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw unfit("a number beyond the range of a double", pointer);
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__") throw unfit("a member named __proto__", pointer);
    if (!name.isWellFormed()) throw unfit("a member whose name has an unpaired surrogate", pointer);
    checkJson(member, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}

function unfit(what: string, pointer: string): InvalidEventError {
  return new InvalidEventError("EVENT_BODY_INVALID", `The JSON has ${what} at "${pointer.slice(0, 200)}".`, {
    pointer: pointer.slice(0, 1024),
  });
}

function reasonOf(cause: unknown, text: string): string {
  if (text === "") return "it is empty";
  if (text.startsWith("\uFEFF")) return "it begins with a byte order mark";
  return cause instanceof Error ? cause.message.slice(0, 200) : "it cannot be parsed";
}

/** Counting brackets is cheap and settles nearly every document: fewer of them than levels cannot be too deep. */
function checkDepth(text: string, maxDepth: number): void {
  if (!hasMore(text, "{", maxDepth - countUpTo(text, "[", maxDepth)) || depthOf(text, maxDepth) <= maxDepth)
    return;
  throw new InvalidEventError("EVENT_TOO_DEEP", `The JSON is nested deeper than ${maxDepth} levels.`);
}

function hasMore(text: string, bracket: string, limit: number): boolean {
  return limit < 0 || countUpTo(text, bracket, limit) > limit;
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
