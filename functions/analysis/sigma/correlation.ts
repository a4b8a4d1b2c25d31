import { type Description, parseDescription, requireEntry, textList } from "./description.ts";
import { entryOf, type MapEntry, type MapNode } from "./document.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";

/** A Sigma correlation of type `event_count`, compiled. */
export interface Correlation extends Description {
  readonly type: "event_count";
  /** The ids of the rules whose matches are counted, resolved from ids or names. */
  readonly ruleIds: readonly string[];
  /** The fields whose values make a group; empty means one group for all. */
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  /** Fires when at least this many events lie within the timespan (`gt: n` is `gte: n + 1`). */
  readonly threshold: number;
  /** Hash of type, the rules' revisions, timespan, group-by and threshold. */
  readonly revision: string;
}

/** A correlation before its references are resolved. */
export interface ParsedCorrelation extends Omit<Correlation, "ruleIds" | "revision"> {
  readonly refersTo: readonly Reference[];
}

/** A rule as a correlation names it: by id or by name. */
export interface Reference {
  readonly name: string;
  readonly at: Position;
}

/** Correlation keys other than these change what is counted, so they are refused. */
const keys: ReadonlySet<string> = new Set("type rules group-by timespan condition generate".split(" "));
const otherTypes: ReadonlySet<string> = new Set(
  "value_count temporal temporal_ordered value_sum value_avg value_percentile value_median".split(" "),
);

/** Parses one correlation document; throws RuleError. */
export function parseCorrelation(document: MapNode, file: string): ParsedCorrelation {
  const description = parseDescription(document, file);
  const correlation = mapOf(requireEntry(document, "correlation"));
  const type = parseType(requireEntry(correlation, "type"));
  for (const { key, keyAt } of correlation.entries) {
    if (!keys.has(key)) throw refuse("CORRELATION_UNSUPPORTED", `'${key}' is not supported yet.`, keyAt);
  }
  const { refersTo } = referencesOf(document);
  if (refersTo.length === 0) {
    const rules = requireEntry(correlation, "rules");
    throw refuse("CORRELATION_INVALID", "'rules' must name at least one rule.", rules.keyAt);
  }
  return {
    ...description,
    type,
    refersTo,
    groupBy: textList(correlation, "group-by"),
    timespanMs: parseTimespan(requireEntry(correlation, "timespan")),
    threshold: parseThreshold(mapOf(requireEntry(correlation, "condition"))),
  };
}

/**
 * The rules a correlation document names and whether they also raise by themselves. Read without
 * complaint: also the rules of a correlation that is refused must stay silent, or a typing error in it
 * would turn every single event into an alert.
 */
export function referencesOf(document: MapNode): {
  readonly refersTo: readonly Reference[];
  readonly generate: boolean;
} {
  const correlation = entryOf(document, "correlation")?.value;
  if (correlation?.kind !== "map") return { refersTo: [], generate: false };
  const rules = entryOf(correlation, "rules")?.value;
  const nodes = rules?.kind === "list" ? rules.items : [rules];
  const refersTo = nodes.flatMap((node) =>
    node?.kind === "scalar" && node.value !== null ? [{ name: String(node.value), at: node.at }] : [],
  );
  return { refersTo, generate: [document, correlation].some(isGenerating) };
}

function isGenerating(map: MapNode): boolean {
  const value = entryOf(map, "generate")?.value;
  return value?.kind === "scalar" && value.value === true;
}

function parseType({ value }: MapEntry): "event_count" {
  const type = value.kind === "scalar" ? value.value : undefined;
  if (type === "event_count") return type;
  const known = typeof type === "string" && otherTypes.has(type);
  const message = known ? `'${type}' is not supported yet` : `Unknown correlation type '${String(type)}'`;
  const code = known ? "CORRELATION_UNSUPPORTED" : "CORRELATION_INVALID";
  throw refuse(code, `${message}; supported is event_count.`, value.at);
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Longer windows would have to be kept in memory; a year is beyond any real one. */
const maxTimespanMs = 366 * 86_400_000;

function parseTimespan({ value }: MapEntry): number {
  const text = value.kind === "scalar" ? String(value.value) : "";
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const timespanMs = Number(count) * (unitMs.get(unit ?? "") ?? Number.NaN);
  if (timespanMs > 0 && timespanMs <= maxTimespanMs) return timespanMs;
  const expected = "a positive whole number and s, m, h or d, at most 366d";
  throw refuse("CORRELATION_INVALID", `The timespan '${text}' is not ${expected}.`, value.at);
}

/** The smallest count that fires. */
function parseThreshold(condition: MapNode): number {
  const [only, second] = condition.entries;
  if (!only || second) {
    throw refuse("CORRELATION_INVALID", "'condition' must hold exactly one comparison.", condition.at);
  }
  if (only.key !== "gte" && only.key !== "gt") {
    const known = ["lt", "lte", "eq", "neq"].includes(only.key);
    const message = known ? `'${only.key}' is not supported yet` : `Unknown comparison '${only.key}'`;
    const code = known ? "CORRELATION_UNSUPPORTED" : "CORRELATION_INVALID";
    throw refuse(code, `${message}; supported are gte and gt.`, only.keyAt);
  }
  const value = only.value.kind === "scalar" ? only.value.value : null;
  const count = typeof value === "bigint" ? Number(value) : Number.NaN;
  const threshold = only.key === "gt" ? count + 1 : count;
  if (Number.isSafeInteger(threshold) && threshold >= 1) return threshold;
  throw refuse("CORRELATION_INVALID", `'${only.key}' wants a whole number from 1 on.`, only.value.at);
}

function mapOf({ key, value }: MapEntry): MapNode {
  if (value.kind === "map") return value;
  throw refuse("CORRELATION_INVALID", `'${key}' must be a map.`, value.at);
}

function refuse(code: RuleProblemCode, message: string, at: Position): RuleError {
  return new RuleError(code, message, at);
}
