import { describe, expect, test } from "vitest";

import { compile, rule } from "./compiling.testing.ts";

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
  ] as const)("does not change with %s", ([, detection, more]) => {
    expect(revision(detection, more)).toBe(revision(base));
  });

  test.for([
    ["a value", base.replace("y", "z")],
    ["a field", base.replace("b: 1", "d: 1")],
    ["a modifier", base.replace("contains", "endswith")],
    ["the linkage", base.replace("a|contains", "a|contains|all")],
    ["the condition", base.replace("and not", "or not")],
    ["case sensitivity", base.replace("a|contains", "a|contains|cased")],
  ] as const)("changes with %s", ([, detection]) => {
    expect(revision(detection)).not.toBe(revision(base));
  });

  test("changes with the log source, and of the whole set with any of its rules", () => {
    const text = rule(base);
    const other = text.replace("category: test", "product: test");
    const [one, two] = [compile(text).ruleSet, compile(other).ruleSet];
    expect(one.rules[0]?.revision).not.toBe(two.rules[0]?.revision);
    expect(one.hash).not.toBe(two.hash);
    expect(compile(rule(base, "level: low\n")).ruleSet.hash).toBe(one.hash);
  });

  test("stays short when detections nest", () => {
    const nested = `  s: ${"[{a: 1}, ".repeat(40)}{b: 1}${"]".repeat(40)}\n  condition: s`;
    expect(revision(nested)?.length).toBeLessThan(10_000);
  });
});
