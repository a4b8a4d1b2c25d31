import { describe, expect, test } from "vitest";

import type { Correlation, CorrelationCondition } from "../language/correlation.ts";
import { allOf, correlationOf, followedBy, kinds } from "./correlation.testing.ts";
import { conditionOf, isEager, isMonotone, reachMs } from "./nature.ts";

const number = (operator: "lt" | "lte" | "gt" | "gte" | "eq" | "neq", operand: number) =>
  ({ operator, operand }) as const;
const where = (...comparisons: readonly ReturnType<typeof number>[]): CorrelationCondition => ({
  kind: "number",
  comparisons,
});

describe("monotone", () => {
  test.for([
    ["at least", { condition: where(number("gte", 3)) }],
    ["more than", { condition: where(number("gt", 3)) }],
    ["distinct values", { type: "value_count", condition: where(number("gte", 3), number("gt", 1)) }],
    ["rules seen", { type: "temporal" }],
    ["rules in order", { type: "temporal_ordered" }],
  ] as const)("%s, in every kind of window", ([, changes]) => {
    for (const window of kinds) expect(isMonotone(correlationOf({ ...changes, window }))).toBe(true);
  });

  test.for([
    ["fewer", { condition: where(number("lt", 3)) }],
    ["a range", { condition: where(number("gte", 3), number("lte", 5)) }],
    ["exactly", { condition: where(number("eq", 3)) }],
    ["other than", { condition: where(number("neq", 3)) }],
    ["a sum: values may be negative", { type: "value_sum" }],
    ["an average", { type: "value_avg" }],
    ["a rule not seen", { type: "temporal", condition: followedBy([0], 1) }],
    ["not followed by", { type: "temporal_ordered", condition: followedBy([0], 1) }],
  ] as const)("not: %s", ([, changes]) => {
    expect(isMonotone(correlationOf(changes as Partial<Correlation>))).toBe(false);
    expect(conditionOf(correlationOf(changes as Partial<Correlation>))).toBeUndefined();
  });
});

test("a correlation of correlations is monotone by itself, and not eager", () => {
  const chain = correlationOf({ refersTo: [{ kind: "correlation", id: "other" }] });
  expect([isMonotone(chain), isEager(chain), isEager(correlationOf({}))]).toEqual([true, false, true]);
});

describe("what the state is asked", () => {
  test.for([
    ["gte 3", { condition: where(number("gte", 3)) }, { kind: "count", atLeast: 3 }],
    ["gt 3", { condition: where(number("gt", 3)) }, { kind: "count", atLeast: 4 }],
    ["gt 2.5", { condition: where(number("gt", 2.5)) }, { kind: "count", atLeast: 3 }],
    ["gte 2.5", { condition: where(number("gte", 2.5)) }, { kind: "count", atLeast: 3 }],
    ["gte 0", { condition: where(number("gte", 0)) }, { kind: "count", atLeast: 1 }],
    [
      "gt 1 and gte 5",
      { condition: where(number("gt", 1), number("gte", 5)) },
      { kind: "count", atLeast: 5 },
    ],
    [
      "distinct",
      { type: "value_count", condition: where(number("gte", 2)) },
      { kind: "distinct", atLeast: 2 },
    ],
    ["all rules", { type: "temporal", condition: allOf(0, 1, 2) }, { kind: "rules", anyOf: [0b111] }],
    ["a chain", { type: "temporal_ordered" }, { kind: "sequence", length: 3 }],
  ] as const)("%s", ([, changes, expected]) => {
    expect(conditionOf(correlationOf(changes as Partial<Correlation>))).toEqual(expected);
  });

  test("a boolean condition is the sets of rules that satisfy it, without those that hold another", () => {
    const rule = (index: number) => ({ kind: "rule", index }) as const;
    const of = {
      kind: "and",
      of: [
        { kind: "or", of: [rule(0), rule(1)] },
        { kind: "or", of: [rule(0), rule(2)] },
      ],
    } as const;
    const condition = { kind: "seen", of } as const;
    expect(conditionOf(correlationOf({ type: "temporal", condition }))).toEqual({
      kind: "rules",
      anyOf: [0b001, 0b110],
    });
  });

  test("a condition with too many ways to satisfy it is not asked but evaluated from the ledger", () => {
    const rule = (index: number) => ({ kind: "rule", index }) as const;
    const pairs = Array.from(
      { length: 8 },
      (_, index) => ({ kind: "or", of: [rule(2 * index), rule(2 * index + 1)] }) as const,
    );
    const refersTo = Array.from({ length: 16 }, (_, index) => ({ kind: "rule", id: `r${index}` }) as const);
    const condition = { kind: "seen", of: { kind: "and", of: pairs } } as const;
    const correlation = correlationOf({ type: "temporal", refersTo, condition });
    expect([isMonotone(correlation), isEager(correlation)]).toEqual([true, false]);
  });

  test("a chain of some of the rules is evaluated from the ledger", () => {
    expect(isEager(correlationOf({ type: "temporal_ordered", condition: allOf(0, 2) }))).toBe(false);
  });
});

test.for([
  ["a count", {}, { before: 10, after: 0 }],
  ["silence", { condition: where(number("lt", 1)) }, { before: 1, after: 10 }],
  ["silence said otherwise", { condition: where(number("lte", 0.5)) }, { before: 1, after: 10 }],
  ["a range without 0", { condition: where(number("gte", 1), number("lt", 3)) }, { before: 10, after: 0 }],
  ["a range with 0 and 1", { condition: where(number("lt", 2)) }, { before: 10, after: 0 }],
  ["anything but 1", { condition: where(number("neq", 1)) }, { before: 10, after: 0 }],
  ["not followed by", { type: "temporal_ordered", condition: followedBy([0], 1) }, { before: 10, after: 10 }],
] as const)("the windows of %s reach so far", ([, changes, reach]) => {
  expect(reachMs(correlationOf(changes as Partial<Correlation>))).toEqual(reach);
});
