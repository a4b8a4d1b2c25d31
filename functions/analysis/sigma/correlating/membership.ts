import type { Correlation } from "../language/correlation.ts";
import { compileField, toText } from "../matching/values.ts";
import { lastRuleBit } from "./member.ts";
import { toNumber } from "./numbers.ts";

/** A group an event counts for, and as what. */
export interface Membership {
  /** The values of `group-by`, in its order; empty when the correlation groups by nothing. */
  readonly group: readonly string[];
  /** Which of `refersTo` the event matches, as in `Member`. */
  readonly rules: number;
  /** The texts of the value fields, as in `Member`. */
  readonly values: readonly string[];
}

/**
 * Tells for which groups an event counts, from the ids of everything it matches: rules, and correlations
 * at one of whose qualifying positions it stands. Several groups are possible, because an alias may read
 * another field for each rule. Never throws.
 */
export type MembershipOf = (matchedIds: readonly string[], fields: object) => readonly Membership[];

/** The text of a field, or undefined. */
type ReadText = (fields: object) => string | undefined;

const none: readonly Membership[] = [];

/**
 * Compiles group-by, aliases and value fields. An event that lacks a group field (absent, null or empty)
 * has no group and does not count, unless `groupsAbsent`: events about nobody are not events about the same one. A field with
 * several values groups by the list of them. For `value_count` an event without one of the values does
 * not count, for the other `value_*` one without a number.
 */
export function compileMembership(correlation: Correlation): MembershipOf {
  const referred = correlation.refersTo.map(({ id }, index) => ({
    id,
    bit: 1 << Math.min(index, lastRuleBit),
    groupOf: compileGroup(correlation, index),
  }));
  const valuesOf = compileValues(correlation);
  return (matchedIds, fields) => {
    const memberships = new Map<string, { group: readonly string[]; rules: number }>();
    for (const { id, bit, groupOf } of referred) {
      const group = matchedIds.includes(id) ? groupOf(fields) : undefined;
      if (!group) continue;
      const key = groupKey(group);
      const known = memberships.get(key);
      if (known) known.rules |= bit;
      else memberships.set(key, { group, rules: bit });
    }
    const values = memberships.size > 0 ? valuesOf(fields) : undefined;
    return values ? [...memberships.values()].map((membership) => ({ ...membership, values })) : none;
  };
}

/** One text for the values of a group, so that ["ab", "c"] and ["a", "bc"] differ. */
export function groupKey(group: readonly string[]): string {
  return group.map((value) => `${value.length}:${value}`).join("");
}

/** The group of an event as rule `index` sees it. */
function compileGroup(
  { groupBy, aliases, groupsAbsent }: Correlation,
  index: number,
): (fields: object) => readonly string[] | undefined {
  const readers = groupBy.map((name) => {
    if (!Object.hasOwn(aliases, name)) return compileText(name);
    const field = aliases[name]?.[index];
    return field === undefined ? () => undefined : compileText(field);
  });
  if (groupsAbsent) return (fields) => readers.map((read) => read(fields) ?? "");
  return (fields) => readAll(readers, fields);
}

/** The texts of the value fields, or undefined when the event does not count. */
function compileValues({
  type,
  valueFields,
}: Correlation): (fields: object) => readonly string[] | undefined {
  if (!type.startsWith("value_")) return () => [];
  const readers = valueFields.map(compileText);
  if (type === "value_count") return (fields) => readAll(readers, fields);
  return (fields) => {
    const values = readAll(readers, fields);
    return toNumber(values?.[0] ?? "") === undefined ? undefined : values;
  };
}

/** All the texts; undefined when one is missing or empty. */
function readAll(readers: readonly ReadText[], fields: object): readonly string[] | undefined {
  const texts: string[] = [];
  for (const read of readers) {
    const text = read(fields);
    if (text === undefined || text === "") return undefined;
    texts.push(text);
  }
  return texts;
}

/** A field with several values reads as the list of them. */
function compileText(field: string): ReadText {
  const read = compileField(field);
  return (fields) => {
    const texts = read(fields).values.flatMap((value) => toText(value) ?? []);
    return texts.length > 1 ? JSON.stringify(texts) : texts[0];
  };
}
