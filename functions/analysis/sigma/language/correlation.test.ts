import { describe, expect, test } from "vitest";

import { compile, rule } from "../compiling.testing.ts";

const failed = rule("  s: {result: FAILURE}\n  condition: s", "id: id-failed\nname: failed_login\n");

const correlation = (body: string, more = "") => `title: Burst\nid: id-burst\n${more}correlation:\n${body}\n`;

const whole = (changes: Record<string, string> = {}) => {
  const parts = {
    type: "event_count",
    rules: "[failed_login]",
    "group-by": "[user_id, server_hostname]",
    timespan: "60s",
    condition: "{gte: 3}",
    ...changes,
  };
  return correlation(
    Object.entries(parts)
      .map(([key, value]) => `  ${key}: ${value}`)
      .join("\n"),
  );
};

const burst = (changes: Record<string, string> = {}) =>
  compile(failed, whole(changes)).ruleSet.correlations[0];

const silent = (...texts: readonly string[]) => compile(failed, ...texts).ruleSet.rules[0]?.silent;
const revision = (text: string) => compile(text, whole()).ruleSet.correlations[0]?.revision;

describe("an event_count correlation", () => {
  test("is read whole, its rules resolved by name", () => {
    expect(burst()).toMatchObject({
      id: "id-burst",
      title: "Burst",
      type: "event_count",
      ruleIds: ["id-failed"],
      groupBy: ["user_id", "server_hostname"],
      timespanMs: 60_000,
      threshold: 3,
      file: "2.yml",
      line: 1,
    });
  });

  test.for([
    ["rules by id", { rules: "[id-failed]" }, { ruleIds: ["id-failed"] }],
    ["a single rule", { rules: "failed_login" }, { ruleIds: ["id-failed"] }],
    ["a rule named twice", { rules: "[failed_login, id-failed]" }, { ruleIds: ["id-failed"] }],
    ["gt", { condition: "{gt: 3}" }, { threshold: 4 }],
    ["gt 0", { condition: "{gt: 0}" }, { threshold: 1 }],
    ["minutes", { timespan: "5m" }, { timespanMs: 300_000 }],
    ["hours", { timespan: "2h" }, { timespanMs: 7_200_000 }],
    ["days", { timespan: "1d" }, { timespanMs: 86_400_000 }],
    ["no group", { "group-by": "[]" }, { groupBy: [] }],
    ["one group field", { "group-by": "src_ip" }, { groupBy: ["src_ip"] }],
  ] as const)("with %s", ([, changes, expected]) => {
    expect(burst(changes)).toMatchObject(expected);
  });

  test.for([
    ["value_count", { type: "value_count" }, "CORRELATION_UNSUPPORTED", 4, 9],
    ["temporal_ordered", { type: "temporal_ordered" }, "CORRELATION_UNSUPPORTED", 4, 9],
    ["an unknown type", { type: "events" }, "CORRELATION_INVALID", 4, 9],
    ["an unknown rule", { rules: "[failed_login, other]" }, "CORRELATION_RULE_UNKNOWN", 5, 25],
    ["a correlation of itself", { rules: "[id-burst]" }, "CORRELATION_RULE_UNKNOWN", 5, 11],
    ["no rules", { rules: "[]" }, "CORRELATION_INVALID", 5, 3],
    ["a week", { timespan: "1w" }, "CORRELATION_INVALID", 7, 13],
    ["no span", { timespan: "0s" }, "CORRELATION_INVALID", 7, 13],
    ["a bare number", { timespan: "60" }, "CORRELATION_INVALID", 7, 13],
    ["a span of centuries", { timespan: "999999d" }, "CORRELATION_INVALID", 7, 13],
    ["lt", { condition: "{lt: 3}" }, "CORRELATION_UNSUPPORTED", 8, 15],
    ["eq", { condition: "{eq: 3}" }, "CORRELATION_UNSUPPORTED", 8, 15],
    ["a misspelt comparison", { condition: "{get: 3}" }, "CORRELATION_INVALID", 8, 15],
    ["a range", { condition: "{gte: 3, lte: 5}" }, "CORRELATION_INVALID", 8, 14],
    ["gte 0", { condition: "{gte: 0}" }, "CORRELATION_INVALID", 8, 20],
    ["a fraction", { condition: "{gte: 1.5}" }, "CORRELATION_INVALID", 8, 20],
    ["a text", { condition: "{gte: many}" }, "CORRELATION_INVALID", 8, 20],
    ["a condition that is a text", { condition: "failed_login" }, "CORRELATION_INVALID", 8, 14],
    ["aliases", { aliases: "{}" }, "CORRELATION_UNSUPPORTED", 9, 3],
    ["field", { field: "user_id" }, "CORRELATION_UNSUPPORTED", 9, 3],
  ] as const)("with %s is refused with its place", ([, changes, code, line, column]) => {
    const { ruleSet, problems } = compile(failed, whole(changes));
    expect(problems).toMatchObject([{ code, severity: "error", file: "2.yml", line, column }]);
    expect(ruleSet.correlations).toEqual([]);
    expect(ruleSet.rules).toHaveLength(1);
  });

  test("of a refused rule is refused too", () => {
    const { problems } = compile(failed.replace("result:", "result|re:"), whole());
    expect(problems.map(({ code }) => code)).toEqual([
      "RULE_MODIFIER_UNSUPPORTED",
      "CORRELATION_RULE_UNKNOWN",
    ]);
  });

  test("may not take the id of a rule", () => {
    const { ruleSet, problems } = compile(failed, whole().replace("id-burst", "id-failed"));
    expect(problems.map(({ code, file }) => [code, file])).toEqual([["RULE_ID_DUPLICATE", "2.yml"]]);
    expect(ruleSet.correlations).toEqual([]);
  });

  test("may stand in one file with its rule, and before it", () => {
    const { ruleSet, problems } = compile(`${whole()}---\n${failed}`);
    expect(problems).toEqual([]);
    expect(ruleSet.correlations).toMatchObject([{ ruleIds: ["id-failed"], line: 1 }]);
    expect(ruleSet.rules).toMatchObject([{ id: "id-failed", line: 10 }]);
  });
});

describe("a rule a correlation refers to", () => {
  test("raises nothing by itself", () => expect(silent(whole())).toBe(true));
  test("raises when nothing refers to it", () => expect(silent()).toBe(false));
  test("raises when the correlation says so", () => expect(silent(whole({ generate: "true" }))).toBe(false));
  test("raises when the document says so", () => expect(silent(`${whole()}generate: true\n`)).toBe(false));
  test("raises when one of two correlations says so", () => {
    const other = whole({ generate: "true" }).replace("id-burst", "id-other");
    expect(silent(whole(), other)).toBe(false);
  });
  test("stays silent when the correlation is refused: a typing error must not make a flood of alerts", () => {
    expect(silent(whole({ timespan: "sixty" }))).toBe(true);
  });
  test("is still answered by match, so that the correlation can count it", () => {
    const { ruleSet } = compile(failed, whole());
    expect(ruleSet.match({ result: "FAILURE" }, { category: "test" })).toMatchObject([
      { id: "id-failed", silent: true },
    ]);
  });
});

describe("the revision of a correlation", () => {
  test.for([
    ["gt 2 instead of gte 3", { condition: "{gt: 2}" }],
    ["1m instead of 60s", { timespan: "1m" }],
    ["the rule by id", { rules: "[id-failed]" }],
    ["generate", { generate: "true" }],
  ] as const)("does not change with %s", ([, changes]) => {
    expect(burst(changes)?.revision).toBe(burst()?.revision);
  });

  test.for([
    ["the threshold", { condition: "{gte: 4}" }],
    ["the timespan", { timespan: "61s" }],
    ["group-by", { "group-by": "[user_id]" }],
  ] as const)("changes with %s", ([, changes]) => {
    expect(burst(changes)?.revision).not.toBe(burst()?.revision);
  });

  test("changes with the detection of a rule it counts, not with its title", () => {
    expect(revision(failed.replace("FAILURE", "DENIED"))).not.toBe(revision(failed));
    expect(revision(failed.replace("A rule", "Another title"))).toBe(revision(failed));
  });
});
