import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import { limits } from "./limits.ts";

const global = "action: global\ntitle: Given\nlevel: high\nlogsource: {product: x}\n";
const rule = (id: string, more = "") => `id: ${id}\n${more}detection: {s: {a: ${id}}, condition: s}\n`;
const stream = (...documents: readonly string[]) => documents.join("---\n");
const loaded = (...documents: readonly string[]) => {
  const { ruleSet, problems } = compile(stream(...documents));
  expect(problems).toEqual([]);
  return ruleSet.rules;
};
const codes = (...documents: readonly string[]) =>
  compile(stream(...documents)).problems.map(({ code, line, column }) => [code, line, column]);

describe("action: global", () => {
  test("gives its keys to the rules that follow", () => {
    const rules = loaded(global, rule("one"), rule("two"));
    expect(rules).toMatchObject([
      { id: "one", title: "Given", level: "high", logsource: { product: "x" } },
      { id: "two", title: "Given", level: "high" },
    ]);
    expect(rules[0]?.custom).toEqual({});
  });

  test("gives parts of maps too, and what a rule says itself counts more", () => {
    const given = `${global}detection: {f: {b: 1}, condition: s and not f}\n`;
    const [first] = loaded(given, "id: one\ntitle: Own\ndetection: {s: {a: 1}}\n");
    expect(first).toMatchObject({ title: "Own", detection: { kind: "and" } });
    const [second] = loaded(global, rule("two", "logsource: {product: own, service: s}\n"));
    expect(second?.logsource).toEqual({ product: "own", service: "s" });
  });

  test("holds for its own file only", () => {
    const { problems } = compile(stream(global, rule("one")), rule("two"));
    expect(problems).toMatchObject([{ code: "RULE_ATTRIBUTE_MISSING", file: "2.yml" }]);
  });

  test("does not reach rules before it", () => {
    expect(codes(rule("one"), global)).toEqual([["RULE_ATTRIBUTE_MISSING", 1, 1]]);
  });

  test("replaces the global document before it", () => {
    const second = "action: global\ntitle: Second\nlogsource: {product: y}\n";
    expect(loaded(global, rule("one"), second, rule("two"))[1]).toMatchObject({
      title: "Second",
      level: "medium",
      logsource: { product: "y" },
    });
  });

  test("does not reach correlations and filters", () => {
    const correlation =
      "title: C\nid: c\ncorrelation: {type: event_count, rules: one, timespan: 1m, condition: {gte: 2}}\n";
    const filter =
      "title: F\nid: f\nlogsource: {product: x}\nfilter: {rules: any, s: {b: 1}, condition: not s}\n";
    const { ruleSet, problems, report } = compile(stream(global, rule("one"), correlation, filter));
    expect(problems).toEqual([]);
    expect(ruleSet.correlations).toMatchObject([{ title: "C", level: "medium" }]);
    expect(report).toMatchObject({ documents: 4, rules: 1, correlations: 1, filters: 1, actions: 1 });
    expect(codes(global, correlation.replace("title: C\n", ""))).toEqual([["RULE_ATTRIBUTE_MISSING", 6, 1]]);
  });

  test("keeps the places of what it gives: an error is shown where it is written", () => {
    const given = "action: global\ntitle: G\nlogsource: {product: x}\ndetection:\n  f: {'a|what': 1}\n";
    expect(codes(given, rule("one"))).toEqual([["RULE_MODIFIER_UNKNOWN", 5, 7]]);
  });
});

describe("action: reset and repeat", () => {
  test("reset ends what global gives", () => {
    expect(codes(global, rule("one"), "action: reset\n", rule("two"))).toEqual([
      ["RULE_ATTRIBUTE_MISSING", 11, 1],
    ]);
  });

  test("repeat is the rule before with some keys changed", () => {
    const rules = loaded(
      rule("one", "title: One\nlogsource: {product: x}\n"),
      "action: repeat\nid: two\nlogsource: {service: y}\n",
      "action: repeat\nid: three\ndetection: {s: {a: 3}}\n",
    );
    expect(rules.map(({ id, title, logsource }) => [id, title, logsource])).toEqual([
      ["one", "One", { product: "x" }],
      ["two", "One", { product: "x", service: "y" }],
      ["three", "One", { product: "x", service: "y" }],
    ]);
    expect(rules[2]?.detection).not.toEqual(rules[1]?.detection);
  });

  test.for([
    ["repeat without a rule before it", "action: repeat\nid: x\n", 1, 9],
    ["an unknown action", "action: merge\nid: x\n", 1, 9],
    ["an action without a name", "action: {a: 1}\nid: x\n", 1, 9],
    [
      "an action of a correlation",
      "title: t\naction: repeat\ncorrelation: {type: event_count, rules: x, timespan: 1m, condition: {gte: 2}}\n",
      2,
      9,
    ],
  ] as const)("%s is refused", ([, text, line, column]) => {
    expect(codes(text)).toEqual([["RULE_DOCUMENT_INVALID", line, column]]);
  });

  test("a few lines cannot repeat a large document a thousand times", { timeout: 60_000 }, () => {
    const values = Array.from({ length: 50_000 }, (_, index) => index).join(", ");
    const large = `action: global\ntitle: G\nlogsource: {product: x}\nfields: [${values}]\n`;
    const rules = Array.from({ length: 25 }, (_, index) => rule(`r${index}`));
    const { problems, report } = compile(stream(large, ...rules));
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(["RULE_LIMIT_EXCEEDED"]));
    expect(report.rules).toBe(Math.floor(limits.repeatedNodesPerFile / 50_006));
  });
});
