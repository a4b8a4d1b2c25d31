import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import { correlation, named } from "./correlation.testing.ts";
import { limits } from "./limits.ts";

const rules = ["a", "b", "c"].map(named);
const temporal = (condition: string | undefined, changes: Record<string, string> = {}) =>
  correlation("t", {
    type: "temporal",
    rules: "[a, b, c]",
    timespan: "5m",
    ...(condition === undefined ? {} : { condition }),
    ...changes,
  });
const conditionOf = (condition: string | undefined, changes: Record<string, string> = {}) => {
  const { ruleSet, problems } = compile(...rules, temporal(condition, changes));
  expect(problems).toEqual([]);
  return ruleSet.correlations[0]?.condition;
};
const problemsOf = (condition: string | undefined, changes: Record<string, string> = {}) =>
  compile(...rules, temporal(condition, changes)).problems.map(({ code, line, column }) => [
    code,
    line,
    column,
  ]);

const seen = (index: number) => ({ kind: "rule", index });
const and = (...of: readonly object[]) => ({ kind: "and", of });
const or = (...of: readonly object[]) => ({ kind: "or", of });
const ordered = { type: "temporal_ordered" };

describe("the condition of a temporal correlation", () => {
  test.for([
    ["no condition: all rules", undefined, and(seen(0), seen(1), seen(2))],
    ["a boolean text", "a and not (b or c)", and(seen(0), { kind: "not", of: or(seen(1), seen(2)) })],
    ["1 of them", "1 of them", or(seen(0), seen(1), seen(2))],
    ["all of them", "all of them", and(seen(0), seen(1), seen(2))],
    ["rules by id", "id-a or id-b or c", or(seen(0), seen(1), seen(2))],
    [
      "a number: so many of the rules",
      "{gte: 2}",
      or(and(seen(0), seen(1)), and(seen(0), seen(2)), and(seen(1), seen(2))),
    ],
    ["a number: any of the rules", "{gte: 1}", or(seen(0), seen(1), seen(2))],
    ["a number: all of the rules", "{gte: 3}", and(seen(0), seen(1), seen(2))],
  ] as const)("%s", ([, condition, expected]) => {
    expect(conditionOf(condition)).toEqual({ kind: "seen", of: expected });
  });

  test("of one rule is that rule", () => {
    expect(conditionOf(undefined, { rules: "[a]" })).toEqual({ kind: "seen", of: seen(0) });
  });

  test.for([
    ["an unknown rule", "a and d", "RULE_IDENTIFIER_UNKNOWN", 7, 20],
    ["a selector that names nothing", "1 of x*", "RULE_SELECTOR_EMPTY", 7, 19],
    ["upper case", "a AND b", "RULE_CONDITION_INVALID", 7, 16],
    ["too many rules", "{gte: 4}", "CORRELATION_INVALID", 7, 14],
    ["another comparison", "{lt: 2}", "CORRELATION_INVALID", 7, 15],
    ["two comparisons", "{gte: 1, lte: 2}", "CORRELATION_INVALID", 7, 15],
    ["no rule", "{gte: 0}", "CORRELATION_INVALID", 7, 15],
    ["a list", "[a, b]", "CORRELATION_INVALID", 7, 14],
  ] as const)("with %s is refused", ([, condition, code, line, column]) => {
    expect(problemsOf(condition)).toEqual([[code, line, column]]);
  });

  test("that leaves a rule out is a warning", () => {
    expect(problemsOf("a and b")).toEqual([["RULE_IDENTIFIER_UNUSED", 5, 17]]);
  });

  test("deep parentheses are refused", () => {
    const depth = limits.parentheses + 1;
    expect(problemsOf(`${"(".repeat(depth)}a${")".repeat(depth)}`)[0]?.[0]).toBe("RULE_CONDITION_INVALID");
  });
});

describe("the condition of a temporal_ordered correlation", () => {
  test.for([
    ["none: all in order", undefined, and(seen(0), seen(1), seen(2))],
    ["not followed by", "a and b and not c", and(seen(0), seen(1), { kind: "not", of: seen(2) })],
    [
      "parentheses that change nothing",
      "a and (b and not c)",
      and(seen(0), and(seen(1), { kind: "not", of: seen(2) })),
    ],
    ["all of them", "all of them", and(seen(0), seen(1), seen(2))],
  ] as const)("%s", ([, condition, expected]) => {
    expect(conditionOf(condition, ordered)).toEqual({ kind: "seen", of: expected });
  });

  test.for([
    ["or", "a or b or c"],
    ["not of several", "a and not (b and c)"],
    ["nothing that is seen", "not a and not b and not c"],
    ["some of the rules", "{gte: 2}"],
  ] as const)("with %s is refused: no order can be asked of it", ([, condition]) => {
    expect(problemsOf(condition, ordered)).toEqual([["CORRELATION_INVALID", 7, 14]]);
  });
});

describe("a rule that is named twice", () => {
  const load = (changes: Record<string, string>) => {
    const { ruleSet, problems } = compile(...rules, temporal(undefined, changes));
    expect(problems).toEqual([]);
    return ruleSet.correlations[0];
  };

  test("stands for another event each time in an order", () => {
    expect(load({ ...ordered, rules: "[a, a, id-a, b]" })).toMatchObject({
      refersTo: ["id-a", "id-a", "id-a", "id-b"].map((id) => ({ kind: "rule", id })),
      condition: { kind: "seen", of: and(seen(0), seen(1), seen(2), seen(3)) },
    });
  });

  test("has its alias each time", () => {
    const aliased = load({ ...ordered, rules: "[a, b, a]", "group-by": "[i]", aliases: "{i: {a: x, b: y}}" });
    expect(aliased?.aliases).toEqual({ i: { 0: "x", 1: "y", 2: "x" } });
  });

  test("makes another revision", () => {
    const revisions = ["[a, b]", "[a, a, b]", "[a, b, a]"].map(
      (names) => load({ ...ordered, rules: names })?.revision,
    );
    expect(new Set(revisions).size).toBe(3);
  });

  test("counts once where order does not matter", () => {
    expect(load({ rules: "[a, id-a, b]" })?.refersTo).toHaveLength(2);
  });

  test("is refused beside a text, which cannot tell one from the other", () => {
    const changes = { ...ordered, rules: "[a, id-a, b]" };
    expect(problemsOf("a and b", changes)).toEqual([["CORRELATION_INVALID", 5, 14]]);
  });
});

describe("the rules of a correlation", () => {
  test("are as many as there are bits", () => {
    const many = Array.from({ length: limits.rulesPerCorrelation + 1 }, (_, index) => `r${index}`);
    const load = (names: readonly string[]) =>
      compile(...names.map(named), temporal(undefined, { rules: `[${names.join(", ")}]` })).problems;
    expect(load(many.slice(1))).toEqual([]);
    expect(load(many)).toMatchObject([{ code: "CORRELATION_INVALID", line: 5, column: 3 }]);
  });

  test("so many of many are too many ways", () => {
    const names = Array.from({ length: 20 }, (_, index) => `r${index}`);
    const text = temporal("{gte: 10}", { rules: `[${names.join(", ")}]` });
    expect(compile(...names.map(named), text).problems).toMatchObject([
      { code: "CORRELATION_INVALID", line: 7 },
    ]);
  });
});

describe("aliases", () => {
  const aliased = (aliases: string, groupBy = "[ip, port]") =>
    temporal(undefined, { "group-by": groupBy, aliases });
  const aliasesOf = (text: string) => {
    const { ruleSet, problems } = compile(...rules, text);
    expect(problems).toEqual([]);
    return ruleSet.correlations[0]?.aliases;
  };

  test("give each rule a field of its own, by the position of the rule", () => {
    expect(aliasesOf(aliased("{ip: {a: src.ip, id-c: dst.ip}, port: {b: dpt}}"))).toEqual({
      ip: { 0: "src.ip", 2: "dst.ip" },
      port: { 1: "dpt" },
    });
  });

  test("that group-by does not use have no effect", () => {
    expect(aliasesOf(aliased("{ip: {a: x}}", "[user]"))).toEqual({});
  });

  test("may have the name of a property every object has", () => {
    expect(Object.entries(aliasesOf(aliased("{__proto__: {a: x}}", "[__proto__]")) ?? {})).toEqual([
      ["__proto__", { 0: "x" }],
    ]);
    expect(aliasesOf(aliased("{ip: {a: x}}", "[constructor, ip]"))).toEqual({ ip: { 0: "x" } });
  });

  test.for([
    ["that is no map", "{ip: x}", 8, 17],
    ["of a rule that is not referred to", "{ip: {d: x}}", 8, 18],
    ["that names a rule twice", "{ip: {a: x, id-a: y}}", 8, 24],
    ["of no field", "{ip: {a: ''}}", 8, 21],
    ["of a list of fields", "{ip: {a: [x, y]}}", 8, 21],
  ] as const)("one %s is refused", ([, aliases, line, column]) => {
    const { problems } = compile(...rules, aliased(aliases));
    expect(problems).toMatchObject([{ code: "CORRELATION_INVALID", line, column }]);
  });

  test("one in field is refused: it would be looked for in the events", () => {
    const text = temporal("{field: ip, gte: 2}", { type: "value_count", aliases: "{ip: {a: x}}" });
    expect(compile(...rules, text).problems).toMatchObject([
      { code: "CORRELATION_INVALID", line: 8, column: 13 },
    ]);
  });
});
