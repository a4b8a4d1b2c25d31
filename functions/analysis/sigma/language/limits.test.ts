import { describe, expect, test } from "vitest";

import { compile, rule } from "../compiling.testing.ts";
import { limits } from "./limits.ts";

/** Codes of what is wrong with a rule; its own time is the test's. */
const codes = (detection: string) => compile(rule(detection)).problems.map(({ code }) => code);
const one = (selection: string, condition = "s") => codes(`  s: ${selection}\n  condition: ${condition}`);
const exceeded = ["RULE_LIMIT_EXCEEDED"];

// A limit is as large as the largest honest rule, times some: that takes a while.
describe("a rule is held to limits, and loads up to them", { timeout: 60_000 }, () => {
  test("the length of a value", () => {
    expect(one(`{a: ${"x".repeat(limits.valueCharacters)}}`)).toEqual([]);
    expect(one(`{a: ${"x".repeat(limits.valueCharacters + 1)}}`)).toEqual(exceeded);
  });

  test("the length of a regular expression", () => {
    expect(one(`{'a|re': ${"x".repeat(limits.regexCharacters)}}`)).toEqual([]);
    expect(one(`{'a|re': ${"x".repeat(limits.regexCharacters + 1)}}`)).toEqual(exceeded);
  });

  test("the alternatives of a value: four dashes are 625, five are 3,125", () => {
    expect(one("{'a|windash': '-a -b -c -d'}")).toEqual([]);
    expect(one("{'a|windash': '-a -b -c -d -e'}")).toEqual(exceeded);
    expect(one(`{'a|windash': '${"-a ".repeat(10_000)}'}`)).toEqual(exceeded);
  });

  test("the length of a condition, or of all of a list", () => {
    const terms = (count: number) => Array.from({ length: count }, () => "s").join(" and ");
    const most = Math.floor((limits.conditionCharacters + 5) / 6);
    expect(one("{a: 1}", terms(most))).toEqual([]);
    expect(one("{a: 1}", terms(most + 1))).toEqual(exceeded);
    expect(one("{a: 1}", `[${Array.from({ length: 20_000 }, () => "s").join(", ")}]`)).toEqual(exceeded);
  });

  test("parentheses within parentheses", () => {
    const nested = (depth: number) => `${"(".repeat(depth)}s${")".repeat(depth)}`;
    expect(one("{a: 1}", nested(limits.parentheses))).toEqual([]);
    expect(one("{a: 1}", nested(limits.parentheses + 1))).toEqual(["RULE_CONDITION_INVALID"]);
    expect(one("{a: 1}", `${"not ".repeat(4000)}s`)).toEqual([]);
  });

  test("search identifiers", () => {
    const identifiers = (count: number) =>
      Array.from({ length: count }, (_, index) => `  s${index}: {a: 1}\n`).join("");
    expect(codes(`${identifiers(limits.identifiersPerDetection)}  condition: 1 of s*`)).toEqual([]);
    expect(codes(`${identifiers(limits.identifiersPerDetection + 1)}  condition: 1 of s*`)).toEqual(exceeded);
  });

  test("the tests of a detection once a condition is written out", () => {
    const values = Array.from({ length: 1000 }, (_, index) => index).join(", ");
    const often = (count: number) => Array.from({ length: count }, () => "s").join(" or ");
    expect(one(`{a: [${values}]}`, often(199))).toEqual([]);
    expect(one(`{a: [${values}]}`, often(200))).toEqual(exceeded);
    const identifiers = Array.from({ length: 900 }, (_, index) => `  s${index}: {a: 1}\n`).join("");
    const selectors = Array.from({ length: 900 }, () => "1 of s*").join(" or ");
    expect(codes(`${identifiers}  condition: ${selectors}`)).toEqual(exceeded);
  });

  test("values that expand are counted as what they expand to", () => {
    const values = Array.from({ length: 400 }, (_, index) => `'-a -b -c -d${index}'`).join(", ");
    expect(one(`{'a|windash': [${values}]}`)).toEqual(exceeded);
  });
});

test("every limit is a whole number from 1 on", () => {
  for (const limit of Object.values(limits))
    expect(limit).toSatisfy((value) => Number.isInteger(value) && value >= 1);
});
