import { type Description, parseDescription, requireEntry, textList } from "./description.ts";
import { entryOf, type MapEntry, type MapNode } from "./document.ts";
import type { Comparison } from "./expression.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";

export type CorrelationType =
  | "event_count"
  | "value_count"
  | "temporal"
  | "temporal_ordered"
  | "value_sum"
  | "value_avg"
  | "value_median"
  | "value_percentile";

/** Where windows lie. Sliding is Sigma's; the others are asked for with `auditflow.window`. */
export type CorrelationWindow =
  /** Ends at an event: (t - timespan, t]. */
  | { readonly kind: "sliding" }
  /** Slots of one timespan each, counted from the epoch: [k * timespan, (k + 1) * timespan). */
  | { readonly kind: "tumbling" }
  /** As sliding, but begins anew after a gap longer than this between neighbouring events. */
  | { readonly kind: "session"; readonly gapMs: number };

/** Which of the rules must have been seen; `index` counts in `refersTo`. */
export type SeenCondition =
  | { readonly kind: "and" | "or"; readonly of: readonly SeenCondition[] }
  | { readonly kind: "not"; readonly of: SeenCondition }
  | { readonly kind: "rule"; readonly index: number };

/** When a window fires. */
export type CorrelationCondition =
  /** All comparisons hold for the window's number; a range is two of them. */
  | {
      readonly kind: "number";
      readonly comparisons: readonly {
        readonly operator: Comparison | "eq" | "neq";
        readonly operand: number;
      }[];
    }
  /** For `temporal` and `temporal_ordered`; all of the rules when the document states none. */
  | { readonly kind: "seen"; readonly of: SeenCondition };

/** A rule or another correlation that a correlation refers to. */
export interface Referred {
  readonly kind: "rule" | "correlation";
  /** Its id, resolved from id or name. */
  readonly id: string;
}

/** A Sigma correlation: plain data, so that it can be packed as JSON. */
export interface Correlation extends Description {
  readonly type: CorrelationType;
  /** In written order, without repetition. */
  readonly refersTo: readonly Referred[];
  /** The fields (or aliases) whose values make a group; empty means one group for all. */
  readonly groupBy: readonly string[];
  /** Alias -> position in `refersTo` -> field, for the aliases `groupBy` uses; a rule without an entry has no such field. */
  readonly aliases: Readonly<Record<string, Readonly<Record<number, string>>>>;
  readonly timespanMs: number;
  readonly window: CorrelationWindow;
  readonly condition: CorrelationCondition;
  /** `value_*`: the field, or for `value_count` several whose values count together. */
  readonly valueFields: readonly string[];
  /** `value_percentile`: 0 to 100. */
  readonly percentile?: number | undefined;
  /** True when another correlation refers to it without `generate`: it then raises nothing by itself. */
  readonly silent: boolean;
  /** Hash of all of the above and of the revisions of what it refers to. */
  readonly revision: string;
}

/** A correlation before its references are resolved. */
export interface ParsedCorrelation extends Omit<Correlation, "refersTo" | "revision" | "silent"> {
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
    aliases: {},
    window: { kind: "sliding" },
    valueFields: [],
    condition: {
      kind: "number",
      comparisons: [
        { operator: "gte", operand: parseThreshold(mapOf(requireEntry(correlation, "condition"))) },
      ],
    },
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
