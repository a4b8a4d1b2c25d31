import { type AliasField, parseAliases } from "./aliases.ts";
import { parseComparisons } from "./comparisons.ts";
import type { Correlation, CorrelationCondition, CorrelationType } from "./correlation.ts";
import { parseReferences, type Reference, requireGenerate } from "./correlation-references.ts";
import { parseCounted } from "./counted.ts";
import { parseDescription, requireEntry, textList } from "./description.ts";
import { entryOf, type MapEntry, type MapNode } from "./document.ts";
import { type Condition, parseGrammar } from "./grammar.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";
import { parseTimespan } from "./timespan.ts";
import { parseWindow, withoutKeys } from "./window-extension.ts";

/** When a window fires, before the rules it speaks of are resolved. */
export type ParsedCondition =
  | Extract<CorrelationCondition, { kind: "number" }>
  | { readonly kind: "text"; readonly condition: Condition; readonly at: Position }
  /** At least so many of the rules; all of them where no number is given. */
  | { readonly kind: "rules"; readonly least?: number | undefined; readonly at: Position };

/** A correlation before its references are resolved. */
export interface ParsedCorrelation extends Omit<
  Correlation,
  "refersTo" | "aliases" | "condition" | "revision" | "silent"
> {
  readonly refersTo: readonly Reference[];
  readonly aliases: readonly AliasField[];
  readonly condition: ParsedCondition;
}

const types =
  "event_count value_count temporal temporal_ordered value_sum value_avg value_median value_percentile".split(
    " ",
  );

/** Correlation keys other than these would change what is counted, so they are refused. */
const keys = "type rules group-by timespan condition generate aliases field percentile".split(" ");

/** Parses one correlation document (Sigma specification, correlation rules); throws RuleError. */
export function parseCorrelation(document: MapNode, file: string): ParsedCorrelation {
  const description = parseDescription(document, file);
  const correlation = mapOf(requireEntry(document, "correlation"));
  const other = correlation.entries.find(({ key }) => !keys.includes(key));
  if (other)
    throw refuse("CORRELATION_UNSUPPORTED", `'${other.key}' is none of ${keys.join(", ")}`, other.keyAt);
  const type = parseType(requireEntry(correlation, "type"));
  const timespanMs = parseTimespan(requireEntry(correlation, "timespan"));
  const { condition, isSilence } = parseCondition(correlation, type);
  const counted = parseCounted(correlation, type);
  requireGenerate(document, correlation);
  return {
    ...description,
    custom: withoutKeys(description.custom, ["window"]),
    type,
    refersTo: parseReferences(document, correlation),
    groupBy: groupByOf(correlation),
    aliases: parseAliases(correlation, counted.valueFields),
    timespanMs,
    window: parseWindow(document, { timespanMs, isSilence }),
    condition,
    ...counted,
  };
}

function parseType({ value }: MapEntry): CorrelationType {
  const written = value.kind === "scalar" ? value.value : undefined;
  if (typeof written === "string" && isType(written)) return written;
  const message = `Unknown correlation type '${String(written)}'; there are ${types.join(", ")}`;
  throw refuse("CORRELATION_INVALID", message, value.at);
}

function isType(text: string): text is CorrelationType {
  return types.includes(text);
}

function groupByOf(correlation: MapNode): readonly string[] {
  const groupBy = [...new Set(textList(correlation, "group-by"))];
  if (groupBy.length <= limits.fieldsPerGroup && !groupBy.includes("")) return groupBy;
  const at = entryOf(correlation, "group-by")?.keyAt ?? correlation.at;
  throw refuse("CORRELATION_INVALID", `'group-by' may name up to ${limits.fieldsPerGroup} fields`, at);
}

interface ConditionAsked {
  readonly condition: ParsedCondition;
  readonly isSilence: boolean;
}

/** Numbers are compared, a text names rules; a temporal type without condition wants all of its rules. */
function parseCondition(correlation: MapNode, type: CorrelationType): ConditionAsked {
  if (type !== "temporal" && type !== "temporal_ordered") {
    return parseComparisons(mapOf(requireEntry(correlation, "condition")), type);
  }
  const entry = entryOf(correlation, "condition");
  const at = entry?.value.at ?? correlation.at;
  if (!entry) return { condition: { kind: "rules", at }, isSilence: false };
  if (entry.value.kind === "scalar" && typeof entry.value.value === "string") {
    return { condition: { kind: "text", condition: parseGrammar(entry.value), at }, isSilence: false };
  }
  return { condition: { kind: "rules", least: parseRuleCount(entry), at }, isSilence: false };
}

/** `gte: 2` of a temporal type: so many different rules (specification, condition). */
function parseRuleCount({ value }: MapEntry): number {
  const [only, more] = value.kind === "map" ? value.entries : [];
  const written = only?.value.kind === "scalar" ? only.value.value : null;
  if (only?.key === "gte" && !more && typeof written === "bigint" && written >= 1n) return Number(written);
  const message =
    "The condition of a temporal type is a text such as 'a and not b', or gte: a number of rules";
  throw refuse("CORRELATION_INVALID", message, only?.keyAt ?? value.at);
}

function mapOf({ key, value }: MapEntry): MapNode {
  if (value.kind === "map") return value;
  throw refuse("CORRELATION_INVALID", `'${key}' must be a map`, value.at);
}

function refuse(code: RuleProblemCode, message: string, at: Position): RuleError {
  return new RuleError(code, `${message}.`, at);
}
