import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import { burst, failed, whole } from "./correlation.testing.ts";

/** So many names of fields. */
const fields = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`).join(", ");

/** The condition of a number of events. */
const number = (...comparisons: readonly (readonly [string, number])[]) => ({
  kind: "number",
  comparisons: comparisons.map(([operator, operand]) => ({ operator, operand })),
});

describe("a correlation", () => {
  test("is read whole, its rules resolved by name", () => {
    expect(burst()).toMatchObject({
      id: "id-burst",
      title: "Burst",
      type: "event_count",
      refersTo: [{ kind: "rule", id: "id-failed" }],
      groupBy: ["user_id", "server_hostname"],
      aliases: {},
      timespanMs: 60_000,
      window: { kind: "sliding" },
      condition: number(["gte", 3]),
      valueFields: [],
      silent: false,
      file: "2.yml",
      line: 1,
    });
  });

  test.for([
    ["rules by id", { rules: "[id-failed]" }, { refersTo: [{ id: "id-failed" }] }],
    ["a single rule", { rules: "failed_login" }, { refersTo: [{ id: "id-failed" }] }],
    ["a rule named twice", { rules: "[failed_login, id-failed]" }, { refersTo: { length: 1 } }],
    ["gt", { condition: "{gt: 3}" }, { condition: number(["gte", 4]) }],
    ["gt 0", { condition: "{gt: 0}" }, { condition: number(["gte", 1]) }],
    ["lt", { condition: "{lt: 3}" }, { condition: number(["lte", 2]) }],
    ["eq", { condition: "{eq: 3}" }, { condition: number(["eq", 3]) }],
    ["neq", { condition: "{neq: 3}" }, { condition: number(["neq", 3]) }],
    ["a range", { condition: "{gt: 100, lte: 200}" }, { condition: number(["gte", 101], ["lte", 200]) }],
    ["silence", { condition: "{lt: 1}" }, { condition: number(["lte", 0]) }],
    ["seconds", { timespan: "90s" }, { timespanMs: 90_000 }],
    ["minutes", { timespan: "5m" }, { timespanMs: 300_000 }],
    ["hours", { timespan: "2h" }, { timespanMs: 7_200_000 }],
    ["days", { timespan: "1d" }, { timespanMs: 86_400_000 }],
    ["weeks", { timespan: "1w" }, { timespanMs: 604_800_000 }],
    ["months of 30 days", { timespan: "1M" }, { timespanMs: 2_592_000_000 }],
    ["a year of 365 days", { timespan: "1y" }, { timespanMs: 31_536_000_000 }],
    ["no group", { "group-by": "[]" }, { groupBy: [] }],
    ["one group field", { "group-by": "src_ip" }, { groupBy: ["src_ip"] }],
    ["a group field named twice", { "group-by": "[a, b, a]" }, { groupBy: ["a", "b"] }],
    [
      "distinct values",
      { type: "value_count", condition: "{field: user, gte: 3}" },
      { type: "value_count", valueFields: ["user"], condition: number(["gte", 3]) },
    ],
    [
      "any value at all",
      { type: "value_count", condition: "{field: user, gte: 1}" },
      { condition: number(["gte", 1]) },
    ],
    [
      "distinct tuples",
      { type: "value_count", condition: "{field: [user, host], gte: 3}" },
      { valueFields: ["user", "host"] },
    ],
    ["the field beside the condition", { type: "value_count", field: "user" }, { valueFields: ["user"] }],
    [
      "a sum",
      { type: "value_sum", condition: "{field: bytes, gt: 1.5}" },
      { type: "value_sum", condition: number(["gt", 1.5]) },
    ],
    [
      "an average",
      { type: "value_avg", condition: "{field: ms, lt: -2}" },
      { condition: number(["lt", -2]) },
    ],
    ["a median", { type: "value_median", condition: "{field: ms, eq: 0}" }, { type: "value_median" }],
    [
      "a percentile",
      { type: "value_percentile", condition: "{field: ms, percentile: 99.9, gte: 3}" },
      { valueFields: ["ms"], percentile: 99.9 },
    ],
    [
      "a percentile beside the condition",
      { type: "value_percentile", field: "ms", percentile: "0" },
      { percentile: 0 },
    ],
  ] as const)("with %s", ([, changes, expected]) => {
    expect(burst(changes)).toMatchObject(expected);
  });

  test.for([
    ["an unknown type", { type: "events" }, "CORRELATION_INVALID", 4, 9],
    ["an unknown rule", { rules: "[failed_login, other]" }, "CORRELATION_RULE_UNKNOWN", 5, 25],
    ["no rules", { rules: "[]" }, "CORRELATION_INVALID", 5, 3],
    ["a rule that is null", { rules: "[failed_login, null]" }, "CORRELATION_INVALID", 5, 3],
    ["a rule that is a map", { rules: "[{a: 1}]" }, "CORRELATION_INVALID", 5, 3],
    ["no span", { timespan: "0s" }, "CORRELATION_INVALID", 7, 13],
    ["a bare number", { timespan: "60" }, "CORRELATION_INVALID", 7, 13],
    ["a span in upper case", { timespan: "5H" }, "CORRELATION_INVALID", 7, 13],
    ["a fraction of a span", { timespan: "1.5h" }, "CORRELATION_INVALID", 7, 13],
    ["a span of centuries", { timespan: "999999d" }, "CORRELATION_INVALID", 7, 13],
    ["two years", { timespan: "2y" }, "CORRELATION_INVALID", 7, 13],
    ["a misspelt comparison", { condition: "{get: 3}" }, "CORRELATION_INVALID", 8, 15],
    ["no comparison", { condition: "{}" }, "CORRELATION_INVALID", 8, 14],
    ["a comparison given twice", { condition: "{gte: 3, gte: 4}" }, "RULE_YAML_INVALID", 8, 23],
    ["what always holds", { condition: "{gte: 0}" }, "CORRELATION_INVALID", 8, 14],
    ["what never holds", { condition: "{lt: 0}" }, "CORRELATION_INVALID", 8, 14],
    ["an empty range", { condition: "{gt: 3, lt: 4}" }, "CORRELATION_INVALID", 8, 14],
    ["a negative count", { condition: "{gte: -1}" }, "CORRELATION_INVALID", 8, 20],
    ["a fraction", { condition: "{gte: 1.5}" }, "CORRELATION_INVALID", 8, 20],
    ["a text", { condition: "{gte: many}" }, "CORRELATION_INVALID", 8, 20],
    ["a condition that is a text", { condition: "failed_login" }, "CORRELATION_INVALID", 8, 14],
    ["a field that is not looked at", { field: "user_id" }, "CORRELATION_INVALID", 9, 3],
    ["a percentile that is not asked for", { percentile: "5" }, "CORRELATION_INVALID", 9, 3],
    ["generate that is no truth value", { generate: "maybe" }, "CORRELATION_INVALID", 9, 13],
    ["too many group fields", { "group-by": `[${fields(33)}]` }, "CORRELATION_INVALID", 6, 3],
    [
      "too many fields that count together",
      { type: "value_count", field: `[${fields(33)}]` },
      "CORRELATION_INVALID",
      9,
      10,
    ],
    ["an unknown key", { timeframe: "5m" }, "CORRELATION_UNSUPPORTED", 9, 3],
    ["distinct values of no field", { type: "value_count" }, "CORRELATION_INVALID", 4, 3],
    [
      "silence of values: where there is an event there is a value",
      { type: "value_count", condition: "{field: a, lt: 1}" },
      "CORRELATION_INVALID",
      8,
      14,
    ],
    [
      "a sum of two fields",
      { type: "value_sum", condition: "{field: [a, b], gte: 1}" },
      "CORRELATION_INVALID",
      8,
      22,
    ],
    [
      "a sum of nothing that is possible",
      { type: "value_sum", condition: "{field: a, gt: 3, lt: 3}" },
      "CORRELATION_INVALID",
      8,
      14,
    ],
    [
      "a field both in and beside the condition",
      { type: "value_sum", condition: "{field: a, gte: 1}", field: "b" },
      "CORRELATION_INVALID",
      8,
      15,
    ],
    [
      "a percentile of 101",
      { type: "value_percentile", condition: "{field: a, percentile: 101, gte: 1}" },
      "CORRELATION_INVALID",
      8,
      37,
    ],
    [
      "no percentile",
      { type: "value_percentile", condition: "{field: a, gte: 1}" },
      "CORRELATION_INVALID",
      4,
      3,
    ],
  ] as const)("with %s is refused with its place", ([, changes, code, line, column]) => {
    const { ruleSet, problems } = compile(failed, whole(changes));
    expect(problems).toMatchObject([{ code, severity: "error", file: "2.yml", line, column }]);
    expect(ruleSet.correlations).toEqual([]);
    expect(ruleSet.rules).toHaveLength(1);
  });

  test.for(["type", "rules", "timespan", "condition"])("without %s is refused", (key) => {
    const text = whole().replace(new RegExp(`^  ${key}: .*\n`, "m"), "");
    expect(compile(failed, text).problems).toMatchObject([
      { code: "RULE_ATTRIBUTE_MISSING", line: 4, column: 3 },
    ]);
  });

  test("of a refused rule is refused too", () => {
    const { problems } = compile(failed.replace("result:", "result|rex:"), whole());
    expect(problems.map(({ code }) => code)).toEqual(["RULE_MODIFIER_UNKNOWN", "CORRELATION_RULE_UNKNOWN"]);
  });

  test("may not take the id or the name of a rule", () => {
    const { ruleSet, problems } = compile(
      failed,
      whole().replace("id-burst", "id-failed"),
      whole().replace("correlation:", "name: failed_login\ncorrelation:"),
    );
    expect(problems.map(({ code, file }) => [code, file])).toEqual([
      ["RULE_ID_DUPLICATE", "2.yml"],
      ["RULE_NAME_DUPLICATE", "3.yml"],
    ]);
    expect(ruleSet.correlations).toEqual([]);
  });

  test("may stand in one file with its rule, and before it", () => {
    const { ruleSet, problems } = compile(`${whole()}---\n${failed}`);
    expect(problems).toEqual([]);
    expect(ruleSet.correlations).toMatchObject([{ refersTo: [{ id: "id-failed" }], line: 1 }]);
    expect(ruleSet.rules).toMatchObject([{ id: "id-failed", line: 10 }]);
  });
});

describe("the window of a correlation", () => {
  const extended = (extension: string, changes: Record<string, string> = {}) =>
    `${whole(changes)}auditflow: ${extension}\n`;
  const correlationWith = (extension: string) => {
    const { ruleSet, problems } = compile(failed, extended(extension));
    expect(problems).toEqual([]);
    return ruleSet.correlations[0];
  };

  test.for([
    ["{window: {type: sliding}}", { kind: "sliding" }],
    ["{window: {type: tumbling}}", { kind: "tumbling" }],
    ["{window: {type: session, gap: 5s}}", { kind: "session", gapMs: 5000 }],
    ["{action: x}", { kind: "sliding" }],
  ] as const)("of %s", ([extension, window]) => {
    expect(correlationWith(extension)?.window).toEqual(window);
  });

  test("is the language's: what else stands beside it stays custom", () => {
    expect(correlationWith("{window: {type: tumbling}, action: x}")?.custom).toEqual({
      auditflow: { action: "x" },
    });
  });

  test.for([
    ["an unknown kind", "{window: {type: hopping}}", {}, 28],
    ["no kind", "{window: {gap: 5s}}", {}, 21],
    ["no map", "{window: session}", {}, 21],
    ["an unknown key", "{window: {type: sliding, step: 5s}}", {}, 37],
    ["a session without gap", "{window: {type: session}}", {}, 21],
    ["a gap as long as the timespan", "{window: {type: session, gap: 60s}}", {}, 42],
    ["a gap that is no timespan", "{window: {type: session, gap: soon}}", {}, 42],
    ["a tumbling window with gap", "{window: {type: tumbling, gap: 5s}}", {}, 38],
    ["tumbling silence", "{window: {type: tumbling}}", { condition: "{eq: 0}" }, 21],
  ] as const)("of %s is refused", ([, extension, changes, column]) => {
    const { problems } = compile(failed, extended(extension, changes));
    expect(problems).toMatchObject([{ code: "CORRELATION_INVALID", line: 9, column }]);
  });
});
