import type { Correlation, CorrelationType } from "./correlation.ts";
import { textList } from "./description.ts";
import { entryOf, type MapEntry, type MapNode } from "./document.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";

/** What a correlation looks at in each event, beside its group. */
type Counted = Pick<Correlation, "valueFields" | "percentile">;

/**
 * Reads `field` and `percentile`, which stand in the condition (specification) or beside it. Only
 * `value_count` may count several fields, as tuples.
 */
export function parseCounted(correlation: MapNode, type: CorrelationType): Counted {
  const condition = entryOf(correlation, "condition")?.value;
  const places = condition?.kind === "map" ? [correlation, condition] : [correlation];
  const field = onlyOne(places, "field");
  const percentile = onlyOne(places, "percentile");
  if (percentile && type !== "value_percentile")
    throw invalid(`'percentile' is for value_percentile, not for ${type}`, percentile.keyAt);
  if (type.startsWith("value_")) {
    const valueFields = parseFields(field, { correlation, type });
    return type === "value_percentile"
      ? { valueFields, percentile: parsePercentile(percentile, correlation.at) }
      : { valueFields };
  }
  if (field) throw invalid(`'field' is for types that look at values, not for ${type}`, field.keyAt);
  return { valueFields: [] };
}

function onlyOne(places: readonly MapNode[], key: string): MapEntry | undefined {
  const [first, second] = places.flatMap((place) => entryOf(place, key) ?? []);
  if (second) throw invalid(`'${key}' stands both in and beside the condition`, second.keyAt);
  return first;
}

function parseFields(
  field: MapEntry | undefined,
  { correlation, type }: { readonly correlation: MapNode; readonly type: CorrelationType },
): readonly string[] {
  if (!field) throw invalid(`${type} wants a 'field'`, correlation.at);
  const fields = [...new Set(textList({ kind: "map", entries: [field], at: field.keyAt }, "field"))];
  const most = type === "value_count" ? limits.fieldsPerGroup : 1;
  if (fields.length > 0 && fields.length <= most && !fields.includes("")) return fields;
  const wanted = most === 1 ? "the name of one field" : `1 to ${most} names of fields`;
  throw invalid(`'field' of ${type} wants ${wanted}`, field.value.at);
}

function parsePercentile(entry: MapEntry | undefined, at: Position): number {
  const written = entry?.value.kind === "scalar" ? entry.value.value : undefined;
  const number = typeof written === "bigint" || typeof written === "number" ? Number(written) : Number.NaN;
  if (number >= 0 && number <= 100) return number;
  throw invalid("value_percentile wants a 'percentile' from 0 to 100", entry?.value.at ?? at);
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}
