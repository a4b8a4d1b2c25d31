import { describe, expect, test } from "vitest";

import { compile, rule } from "./compiling.testing.ts";
import { burst, correlation, failed, named, whole } from "./language/correlation.testing.ts";

const base = "  s:\n    a|contains: [X, y]\n    b: 1\n  f: {c: 2}\n  condition: s and not f";
const revision = (detection: string, more = "") => {
  const { ruleSet, problems } = compile(rule(detection, more));
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return ruleSet.rules[0]?.revision;
};

describe("the revision", () => {
  test.for([
    ["description, level, tags, comments", base, "level: high\ndescription: other # comment\ntags: [a.b]\n"],
    [
      "the order of keys and values",
      "  f: {c: 2}\n  s:\n    b: 1\n    a|contains: [y, X]\n  condition: s and not f",
      "",
    ],
    [
      "the layout",
      "  s: {'a|contains': ['X', \"y\"], b: 1}\n  f: {c: 2}\n  condition: (s) and (not (f))",
      "",
    ],
    [
      "the names of identifiers",
      "  t: {'a|contains': [X, y], b: 1}\n  g: {c: 2}\n  condition: t and not g",
      "",
    ],
    ["the case of values", base.replace("X", "x"), ""],
    ["a number written as text", base.replace("b: 1", "b: '1'"), ""],
    ["a value said twice", base.replace("[X, y]", "[X, y, x]"), ""],
    ["a negation of a negation", base.replace("and not f", "and not not not f"), ""],
    ["neq instead of not", base.replace("f: {c: 2}", "f: {c|neq: 2}").replace("and not f", "and f"), ""],
    ["all of a single value", base.replace("b: 1", "b|all: 1"), ""],
    ["a selector instead of a name", base.replace("s and not f", "1 of s* and not all of f"), ""],
  ] as const)("does not change with %s", ([, detection, more]) => {
    expect(revision(detection, more)).toBe(revision(base));
  });

  test.for([
    ["a value", base.replace("y", "z")],
    ["a field", base.replace("b: 1", "d: 1")],
    ["a modifier", base.replace("contains", "endswith")],
    ["the linkage", base.replace("a|contains", "a|contains|all")],
    ["the condition", base.replace("and not", "or not")],
    ["neq", base.replace("b: 1", "b|neq: 1")],
    ["a regular expression", base.replace("b: 1", "b|re: 1")],
    ["case sensitivity", base.replace("a|contains", "a|contains|cased")],
  ] as const)("changes with %s", ([, detection]) => {
    expect(revision(detection)).not.toBe(revision(base));
  });

  test.for([
    ["a flag of a regular expression", "'a|re': x", "'a|re|i': x"],
    ["a regular expression's case", "'a|re|i': x", "'a|re|i': X"],
    ["the place of a regular expression", "'a|re|startswith': x", "'a|re|endswith': x"],
    ["a network", "'a|cidr': 10.0.0.0/8", "'a|cidr': 10.0.0.0/9"],
    ["a number", "'a|gt': 1", "'a|gt': 2"],
    ["a comparison", "'a|gt': 1", "'a|gte': 1"],
    ["a part of the time", "'a|hour': 1", "'a|day': 1"],
    ["a comparison of the time", "'a|hour': 1", "'a|hour|lt': 1"],
    ["the other field", "'a|fieldref': b", "'a|fieldref': c"],
    ["the shape of a fieldref", "'a|fieldref': b", "'a|fieldref|contains': b"],
    ["the case of a fieldref", "'a|fieldref': b", "'a|fieldref|cased': b"],
    ["existence", "'a|exists': true", "'a|exists': false"],
    ["null", "a: null", "a: ''"],
    ["alternatives under all", "'a|windash|contains|all': [-x, y]", "'a|contains|all': [-x, y]"],
    ["keywords", "'|all': [x, y]", "'|contains': [x, y]"],
  ] as const)("changes with %s", ([, one, other]) => {
    const of = (item: string) => revision(`  s: {${item}}\n  condition: s`);
    expect(of(one)).not.toBe(of(other));
  });

  test("does not change where a modifier writes the same", () => {
    const of = (item: string) => revision(`  s: {${item}}\n  condition: s`);
    expect(of("'a|re': '(?i)x'")).toBe(of("'a|re|i': x"));
    expect(of("a: []")).toBe(of("a: null"));
    expect(of("'a|base64': foo")).toBe(of("a: Zm9v"));
    expect(of("'a|contains': x")).toBe(of("a: '*x*'"));
    expect(of("'a|contains|windash': -x")).toBe(of("'a|windash|contains': /x"));
  });

  test("changes with the log source, and of the whole set with any of its rules", () => {
    const text = rule(base);
    const other = text.replace("category: test", "product: test");
    const [one, two] = [compile(text).ruleSet, compile(other).ruleSet];
    expect(one.rules[0]?.revision).not.toBe(two.rules[0]?.revision);
    const custom = text.replace("category: test", "category: test, vendor: v");
    expect(compile(custom).ruleSet.hash).not.toBe(one.hash);
    const turned = custom.replace("category: test, vendor: v", "vendor: V, category: Test");
    expect(compile(turned).ruleSet.hash).toBe(compile(custom).ruleSet.hash);
    expect(one.hash).not.toBe(two.hash);
    expect(compile(rule(base, "level: low\n")).ruleSet.hash).toBe(one.hash);
  });

  test("stays short when detections nest", () => {
    const nested = `  s: ${"[{a: 1}, ".repeat(40)}{b: 1}${"]".repeat(40)}\n  condition: s`;
    expect(revision(nested)?.length).toBeLessThan(10_000);
  });
});

describe("the revision of a correlation", () => {
  test.for([
    ["gt 2 instead of gte 3", { condition: "{gt: 2}" }],
    ["1m instead of 60s", { timespan: "1m" }],
    ["the rule by id", { rules: "[id-failed]" }],
    ["generate", { generate: "true" }],
    ["an alias nobody uses", { aliases: "{ip: {failed_login: x}}" }],
  ] as const)("does not change with %s", ([, changes]) => {
    expect(burst(changes)?.revision).toBe(burst()?.revision);
  });

  test.for([
    ["the threshold", { condition: "{gte: 4}" }],
    ["the comparison", { condition: "{lte: 3}" }],
    ["a range", { condition: "{gte: 3, lte: 9}" }],
    ["the timespan", { timespan: "61s" }],
    ["group-by", { "group-by": "[user_id]" }],
    ["the type", { type: "value_sum", field: "x" }],
    ["an alias", { aliases: "{user_id: {failed_login: x}}" }],
  ] as const)("changes with %s", ([, changes]) => {
    expect(burst(changes)?.revision).not.toBe(burst()?.revision);
  });

  test.for([
    ["the field", { field: "x" }, { field: "y" }],
    ["the percentile", { percentile: "5" }, { percentile: "6" }],
  ] as const)("changes with %s", ([, one, other]) => {
    const of = (changes: Record<string, string>) =>
      burst({ type: "value_percentile", field: "x", percentile: "9", ...changes })?.revision;
    expect(of(one)).toBeDefined();
    expect(of(one)).not.toBe(of(other));
  });

  test("changes with the window", () => {
    const of = (window: string) =>
      compile(failed, `${whole()}auditflow: {window: ${window}}\n`).ruleSet.correlations[0]?.revision;
    const revisions = [
      "{type: sliding}",
      "{type: tumbling}",
      "{type: session, gap: 5s}",
      "{type: session, gap: 6s}",
    ];
    expect(new Set(revisions.map(of)).size).toBe(4);
    expect(of("{type: sliding}")).toBe(burst()?.revision);
  });

  test("changes with the detection of a rule it counts, not with its title", () => {
    const of = (text: string) => compile(text, whole()).ruleSet.correlations[0]?.revision;
    expect(of(failed.replace("FAILURE", "DENIED"))).not.toBe(of(failed));
    expect(of(failed.replace("A rule", "Another title"))).toBe(of(failed));
  });

  const temporal = (changes: Record<string, string>) => {
    const keys = { type: "temporal", rules: "[a, b]", timespan: "5m", ...changes };
    const { ruleSet, problems } = compile(named("a"), named("b"), correlation("t", keys));
    expect(problems).toEqual([]);
    return ruleSet.correlations[0]?.revision;
  };
  const plain = temporal({});
  const order = { type: "temporal_ordered" };

  test.for([
    ["the order of rules", { rules: "[b, a]" }, plain],
    ["a condition that says what none says", { condition: "b and (a)" }, plain],
    ["all of them", { condition: "all of them" }, plain],
    ["a condition by id", { condition: "id-a and not not b" }, plain],
    [
      "the order of rules that have an alias",
      { rules: "[b, a]", "group-by": "[i]", aliases: "{i: {b: y, a: x}}" },
      temporal({ "group-by": "[i]", aliases: "{i: {a: x, b: y}}" }),
    ],
    [
      "the name of an alias",
      { "group-by": "[j]", aliases: "{j: {a: x, b: y}}" },
      temporal({ "group-by": "[i]", aliases: "{i: {a: x, b: y}}" }),
    ],
    ["a condition of an order", { ...order, condition: "b and a" }, temporal(order)],
  ] as const)("does not change with %s", ([, changes, expected]) => {
    expect(temporal(changes)).toBe(expected);
  });

  test.for([
    ["another condition", { condition: "a or b" }, plain],
    ["a negation", { condition: "a and not b" }, plain],
    ["order", order, plain],
    ["the order of an order", { ...order, rules: "[b, a]" }, temporal(order)],
    ["not followed by", { ...order, condition: "a and not b" }, temporal(order)],
    [
      "the fields of an alias",
      { "group-by": "[i]", aliases: "{i: {a: y, b: x}}" },
      temporal({ "group-by": "[i]", aliases: "{i: {a: x, b: y}}" }),
    ],
  ] as const)("changes with %s", ([, changes, before]) => {
    expect(temporal(changes)).not.toBe(before);
  });
});
