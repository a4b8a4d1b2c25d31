import type { Reference } from "./correlation-references.ts";
import { entryOf, type MapEntry, type MapNode } from "./document.ts";
import { type Position, RuleError } from "./problem.ts";

/** The field of one rule's events that an alias stands for. */
export interface AliasField {
  readonly alias: string;
  readonly rule: Reference;
  readonly field: string;
}

/**
 * Reads `aliases: {alias: {rule: field}}`. Only `group-by` may use an alias (specification); a value field
 * of that name would silently be looked for in the events, so it is refused.
 */
export function parseAliases(correlation: MapNode, valueFields: readonly string[]): readonly AliasField[] {
  const aliases = entryOf(correlation, "aliases");
  if (!aliases || (aliases.value.kind === "scalar" && aliases.value.value === null)) return [];
  return mapOf(aliases).entries.flatMap((entry) => {
    if (valueFields.includes(entry.key))
      throw invalid(`The alias '${entry.key}' can stand in 'group-by' only, not in 'field'`, entry.keyAt);
    return mapOf(entry).entries.map(({ key, keyAt, value }): AliasField => {
      if (value.kind !== "scalar" || typeof value.value !== "string" || value.value === "")
        throw invalid(`The alias '${entry.key}' wants the name of a field of '${key}'`, value.at);
      return { alias: entry.key, rule: { name: key, at: keyAt }, field: value.value };
    });
  });
}

function mapOf({ key, value }: MapEntry): MapNode {
  if (value.kind === "map") return value;
  throw invalid(`'${key}' must be a map`, value.at);
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}
