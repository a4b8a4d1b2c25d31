import { createHash } from "node:crypto";

/** A group of events under one correlation. */
export interface Group {
  /** Length-prefixed values in the order of `group-by`; "" when the correlation groups by nothing. */
  readonly key: string;
  /** The same for people, by field. */
  readonly values: Readonly<Record<string, string>>;
}

/** Longer values are replaced by their hash, so that a key stays storable whatever an event contains. */
const maxValueLength = 1024;
const maxShownLength = 256;
/** Many long values together: what the alert's contract allows for a key. */
const maxKeyLength = 8192;

/** The group of these values of the fields (or aliases) `groupBy`, in their order. */
export function toGroup(groupBy: readonly string[], values: readonly string[]): Group {
  const key = lengthPrefixed(values);
  const shown = groupBy.map((field, index) => [field, shorten(values[index] ?? "")] as const);
  return { key: key.length > maxKeyLength ? hashOf(key) : key, values: Object.fromEntries(shown) };
}

/** One text for a list of texts, so that `["ab", "c"]` and `["a", "bc"]` differ: `2:ab1:c`. */
export function lengthPrefixed(values: readonly string[]): string {
  return values
    .map((value) => (value.length > maxValueLength ? hashOf(value) : value))
    .map((value) => `${Buffer.byteLength(value)}:${value}`)
    .join("");
}

/** A cut may leave half of a surrogate pair, which no receiver would take. */
function shorten(value: string): string {
  return value.slice(0, maxShownLength).toWellFormed();
}

function hashOf(value: string): string {
  return `sha256:${createHash("sha256").update(value).digest("hex")}`;
}
