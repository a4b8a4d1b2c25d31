import {
  array,
  type Arbitrary,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
  tuple,
} from "fast-check";

import type {
  Correlation,
  CorrelationCondition,
  CorrelationType,
  CorrelationWindow,
  SeenCondition,
} from "../language/correlation.ts";
import type { Member } from "./member.ts";

/** A correlation over the rules `a`, `b` and `c` in windows of ten milliseconds, changed as a test needs it. */
export function correlationOf(changes: Partial<Correlation>): Correlation {
  const type = changes.type ?? "event_count";
  return {
    id: "correlation",
    title: "A correlation",
    level: "medium",
    related: [],
    scope: [],
    tags: [],
    references: [],
    falsepositives: [],
    fields: [],
    file: "correlation.yml",
    line: 1,
    custom: {},
    type,
    refersTo: ["a", "b", "c"].map((id) => ({ kind: "rule", id })),
    groupBy: [],
    aliases: {},
    timespanMs: 10,
    window: { kind: "sliding" },
    condition: type.startsWith("temporal") ? allOf(0, 1, 2) : atLeast(3),
    valueFields: type.startsWith("value_") ? ["value"] : [],
    silent: false,
    revision: "revision",
    ...changes,
  };
}

export function atLeast(operand: number): CorrelationCondition {
  return { kind: "number", comparisons: [{ operator: "gte", operand }] };
}

export function atMost(operand: number): CorrelationCondition {
  return { kind: "number", comparisons: [{ operator: "lte", operand }] };
}

export function allOf(...indexes: readonly number[]): CorrelationCondition {
  return { kind: "seen", of: { kind: "and", of: indexes.map((index) => ({ kind: "rule", index })) } };
}

export const kinds = [
  { kind: "sliding" },
  { kind: "tumbling" },
  { kind: "session", gapMs: 3 },
] as const satisfies readonly CorrelationWindow[];

export const types = [
  "event_count",
  "value_count",
  "temporal",
  "temporal_ordered",
  "value_sum",
  "value_avg",
  "value_median",
  "value_percentile",
] as const satisfies readonly CorrelationType[];

/** Members with ties, gaps and texts that are no numbers; tenths, so that binary fractions would show. */
export const memberSets: Arbitrary<readonly Member[]> = array(
  record({
    time: oneof(nat({ max: 12 }), nat({ max: 60 })),
    rules: integer({ min: 1, max: 7 }),
    value: oneof(
      { weight: 6, arbitrary: constantFrom("0.1", "0.2", "0.3", "1", "2", "-1", "1e1") },
      constant("many"),
    ),
  }),
  { maxLength: 14 },
).map((rows) =>
  rows.map(({ time, rules, value }, index) => ({
    member: `m${String(index).padStart(2, "0")}`,
    time,
    rules,
    values: [value],
  })),
);

const operand = oneof(integer({ min: 0, max: 5 }), constantFrom(0.1, 0.3, 0.6, 1.5));
const comparison = record({
  operator: constantFrom("lt", "lte", "gt", "gte", "eq", "neq"),
  operand,
} as const);
const numberCondition = array(comparison, { minLength: 1, maxLength: 2 }).map(
  (comparisons): CorrelationCondition => ({ kind: "number", comparisons }),
);

const leaf: Arbitrary<SeenCondition> = oneof(
  nat({ max: 2 }).map((index): SeenCondition => ({ kind: "rule", index })),
  nat({ max: 2 }).map((index): SeenCondition => ({ kind: "not", of: { kind: "rule", index } })),
);
const seenCondition: Arbitrary<CorrelationCondition> = tuple(
  constantFrom("and", "or"),
  array(
    oneof(
      leaf,
      tuple(constantFrom("and", "or"), array(leaf, { minLength: 1, maxLength: 2 })).map(
        ([kind, of]): SeenCondition => ({ kind, of }),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  ),
).map(([kind, of]): CorrelationCondition => ({ kind: "seen", of: { kind, of } }));

/** A conjunction of at least one rule, in which others may be negated. */
const orderCondition: Arbitrary<CorrelationCondition> = constantFrom(
  allOf(0, 1, 2),
  allOf(0, 1),
  allOf(1),
  followedBy([0], 1),
  followedBy([0, 1], 2),
  followedBy([0, 2], 1),
);

/** `positive` in order of the list, and then not `negated`. */
export function followedBy(positive: readonly number[], negated: number): CorrelationCondition {
  const rules = positive.map((index): SeenCondition => ({ kind: "rule", index }));
  return {
    kind: "seen",
    of: { kind: "and", of: [...rules, { kind: "not", of: { kind: "rule", index: negated } }] },
  };
}

/** Correlations of one type, with every window kind and the conditions the language allows. */
export function correlationsOf(type: CorrelationType): Arbitrary<Correlation> {
  const condition =
    type === "temporal" ? seenCondition : type === "temporal_ordered" ? orderCondition : numberCondition;
  return record({
    condition,
    window: constantFrom(...kinds),
    percentile: constantFrom(0, 7, 25, 50, 90, 99.9, 100),
  }).map((drawn) => correlationOf({ type, ...drawn }));
}
