import { describe, expect, test } from "vitest";

import { compile, matches, rule } from "../compiling.testing.ts";

describe("conditions", () => {
  const abc = "a: {a: 1}\n  b: {b: 1}\n  c: {c: 1}";
  test.for([
    ["and binds before or", "a or b and c", { a: 1 }, true],
    ["and binds before or", "a and b or c", { c: 1 }, true],
    ["parentheses", "(a or b) and c", { a: 1 }, false],
    ["not binds before and", "not a and b", { b: 1 }, true],
    ["not of parentheses", "not (a and b)", { a: 1 }, true],
    ["not not", "not not a", { a: 1 }, true],
    ["1 of them", "1 of them", { c: 1 }, true],
    ["any of them", "any of them", {}, false],
    ["all of them", "all of them", { a: 1, b: 1 }, false],
    ["all of them", "all of them", { a: 1, b: 1, c: 1 }, true],
    ["not 1 of them", "not 1 of them", {}, true],
    ["no blanks at parentheses", "(a)or(b)", { b: 1 }, true],
    ["a list is OR", "[a, b]", { b: 1 }, true],
  ] as const)("%s: %s on %o is %s", ([, condition, event, expected]) => {
    expect(matches(abc, event, condition)).toBe(expected);
  });

  test.for([
    ["notepad_sel", { x: 1 }, true],
    ["order", { x: 1 }, true],
    ["android", { x: 1 }, true],
    ["not notepad_x", { x: 1 }, false],
    ["order or android", { x: 1 }, true],
    ["all_of_it", { x: 1 }, true],
    ["them", { x: 1 }, true],
    ["1", { x: 1 }, true],
    ["sel-1", { x: 1 }, true],
  ] as const)("words are told apart at blanks: %s on %o is %s", ([condition, event, expected]) => {
    const names = condition.split(/ or /).map((part) => part.replace("not ", ""));
    const detection = names.map((name) => `'${name}': {x: 1}`).join("\n  ");
    expect(matches(detection, event, `'${condition}'`)).toBe(expected);
  });

  test.for([
    ["1 of sel_*", { a: 1 }, true],
    ["1 of sel_*", { hidden: 1 }, false],
    ["all of sel_*", { a: 1, b: 1 }, true],
    ["1 of them", { hidden: 1 }, false],
    ["1 of _*", { hidden: 1 }, true],
    ["1 of *_a", { a: 1 }, true],
    ["1 of s*_b", { b: 1 }, true],
    ["1 of sel_a", { a: 1 }, true],
  ] as const)("selectors leave out what begins with '_': %s on %o is %s", ([condition, event, expected]) => {
    const { ruleSet } = compile(
      rule(`  sel_a: {a: 1}\n  sel_b: {b: 1}\n  _sel_hidden: {hidden: 1}\n  condition: ${condition}`),
    );
    expect(ruleSet.match(event, { category: "test" })).toHaveLength(expected ? 1 : 0);
  });
});
