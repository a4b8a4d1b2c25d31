import { createHash } from "node:crypto";

import type { Fields } from "../fields.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { compileField, toText } from "../sigma/matching/values.ts";

/** The group of one event under one correlation. */
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

/**
 * Compiles the `group-by` of a correlation. An event that lacks one of the fields (absent, null or empty)
 * has no group and does not count: events about nobody are not events about the same one. A field with
 * several values groups by the list of them.
 */
export function compileGroup({
  groupBy,
}: Pick<Correlation, "groupBy">): (fields: Fields) => Group | undefined {
  const readers = groupBy.map((field) => [field, compileField(field)] as const);
  return (fields) => {
    const values: (readonly [field: string, value: string])[] = [];
    for (const [field, read] of readers) {
      const texts = read(fields).values.flatMap((value) => toText(value) ?? []);
      const value = texts.length > 1 ? JSON.stringify(texts) : texts[0];
      if (value === undefined || value === "") return undefined;
      values.push([field, value]);
    }
    const key = lengthPrefixed(values.map(([, value]) => value));
    return {
      key: key.length > maxKeyLength ? hashOf(key) : key,
      // A cut may leave half of a surrogate pair, which no receiver would take.
      values: Object.fromEntries(
        values.map(([field, value]) => [field, value.slice(0, maxShownLength).toWellFormed()]),
      ),
    };
  };
}

/** One text for a list of texts, so that `["ab", "c"]` and `["a", "bc"]` differ: `2:ab1:c`. */
export function lengthPrefixed(values: readonly string[]): string {
  return values
    .map((value) => (value.length > maxValueLength ? hashOf(value) : value))
    .map((value) => `${Buffer.byteLength(value)}:${value}`)
    .join("");
}

function hashOf(value: string): string {
  return `sha256:${createHash("sha256").update(value).digest("hex")}`;
}
