import { describe, expect, test } from "vitest";

import { matches } from "../compiling.testing.ts";

describe("detections (maps, lists, keywords)", () => {
  test.for([
    ["a map is AND", "selection: {a: 1, b: 2}", { a: 1, b: 3 }, false],
    ["a map is AND", "selection: {a: 1, b: 2}", { a: 1, b: 2 }, true],
    ["a list of maps is OR", "selection: [{a: 1}, {b: 2}]", { b: 2 }, true],
    ["a list of values is OR", "selection: {a: [1, 2]}", { a: 2 }, true],
    ["a list with all is AND", "selection: {'a|contains|all': [x, y]}", { a: "x" }, false],
    ["a list with all is AND", "selection: {'a|contains|all': [x, y]}", { a: "yx" }, true],
    [
      "one field with two modifiers is two items",
      "selection: {'a|startswith': x, 'a|endswith': y}",
      { a: "x-y" },
      true,
    ],
    [
      "one field with two modifiers is two items",
      "selection: {'a|startswith': x, 'a|endswith': y}",
      { a: "x-" },
      false,
    ],
    ["keywords are OR over all values", "selection: [alpha, beta]", { deep: { er: ["a BETA b"] } }, true],
    ["keywords do not look at names", "selection: [deep]", { deep: "x" }, false],
    ["a single value is a keyword", "selection: alpha", { x: "the alpha" }, true],
    ["keywords may hold wildcards", "selection: ['al*ha']", { x: "..al--ha.." }, true],
    [
      "keywords with all may be met by different fields",
      "selection: {'|all': [x1, x2]}",
      { a: "x1", b: "x2" },
      true,
    ],
    ["keywords with all must all be met", "selection: {'|all': [x1, x2]}", { a: "x1", b: "x3" }, false],
    ["a mixed list is OR of its parts", "selection: [alpha, {b: 2}]", { b: 2 }, true],
    ["nested lists recurse", "selection: [[{a: 1}, [{b: 2}]]]", { b: 2 }, true],
    ["keywords find numbers by their text", "selection: [4625]", { id: 4625 }, true],
  ] as const)("%s: %s on %o is %s", ([, selection, event, expected]) => {
    expect(matches(selection, event)).toBe(expected);
  });

  test("an event that nests deeper than the stack is matched and survives", () => {
    const event: Record<string, unknown> = JSON.parse(
      `${'{"a":['.repeat(50_000)}"needle"${"]}".repeat(50_000)}`,
    );
    expect(matches("selection: [needle]", event)).toBe(true);
    expect(matches("selection: {a: x}", event)).toBe(false);
    expect(matches("selection: {a.a.a: x}", event)).toBe(false);
  });
});

describe("null, empty, missing, exists", () => {
  test.for([
    ["null is absent", "selection: {a: null}", {}, true],
    ["null is JSON null", "selection: {a: null}", { a: null }, true],
    ["null is not the empty text", "selection: {a: null}", { a: "" }, false],
    ["an empty list is null", "selection: {a: []}", {}, true],
    ["the empty text is not null", "selection: {a: ''}", { a: null }, false],
    ["the empty text is not absent", "selection: {a: ''}", {}, false],
    ["* does not match an absent field", "selection: {a: '*'}", {}, false],
    ["* does not match null", "selection: {a: '*'}", { a: null }, false],
    ["contains nothing does not match an absent field", "selection: {'a|contains': ''}", {}, false],
    ["a null value exists", "selection: {'a|exists': true}", { a: null }, true],
    ["an absent field does not exist", "selection: {'a|exists': false}", {}, true],
    ["a present field does exist", "selection: {'a|exists': false}", { a: 1 }, false],
    ["a numeric comparison is false on an absent field", "selection: {'a|lt': 5}", {}, false],
  ] as const)("%s: %s on %o is %s", ([, selection, event, expected]) => {
    expect(matches(selection, event)).toBe(expected);
  });

  test("'not filter' over an absent field is true", () => {
    const selection = "selection: {a: 1}\n  filter: {b: 2}";
    expect(matches(selection, { a: 1 }, "selection and not filter")).toBe(true);
    expect(matches(selection, { a: 1, b: 2 }, "selection and not filter")).toBe(false);
  });
});

describe("nesting and arrays", () => {
  test.for([
    ["a dotted name reads below", "selection: {a.b: 1}", { a: { b: 1 } }, true],
    ["a literal key beats nesting", "selection: {a.b: 1}", { "a.b": 2, a: { b: 1 } }, false],
    [
      "a longer literal key beats a shorter one",
      "selection: {a.b.c: 1}",
      { "a.b": { c: 1 }, a: { b: { c: 2 } } },
      true,
    ],
    [
      "a literal key that leads nowhere does not hide",
      "selection: {a.b.c: 1}",
      { "a.b": 5, a: { b: { c: 1 } } },
      true,
    ],
    ["any member of an array satisfies", "selection: {a: 2}", { a: [1, 2] }, true],
    [
      "with all, different members may satisfy",
      "selection: {'a|contains|all': [x, y]}",
      { a: ["x", "y"] },
      true,
    ],
    ["a dotted path crosses arrays", "selection: {a.b: 2}", { a: [{ b: 1 }, { b: 2 }] }, true],
    ["a dotted path crosses arrays of arrays", "selection: {a.b: 2}", { a: [[{ b: [1, [2]] }]] }, true],
    ["a null member is null", "selection: {a: null}", { a: [1, null] }, true],
    [
      "a member without the field does not make it null",
      "selection: {a.b: null}",
      { a: [{ b: 1 }, {}] },
      false,
    ],
    ["a text has no fields", "selection: {a.length: 3}", { a: "abc" }, false],
    ["an array has no fields", "selection: {'a.length|exists': true}", { a: [1, 2] }, false],
    ["constructor is no field", "selection: {'constructor|exists': true}", {}, false],
    ["constructor is no keyword", "selection: [native]", {}, false],
    ["__proto__ is no field", "selection: {'__proto__.x|exists': true}", { y: 1 }, false],
    ["toString below is no field", "selection: {'a.toString|exists': true}", { a: {} }, false],
    ["a field of that name is one", "selection: {constructor: acme}", { constructor: "acme" }, true],
  ] as const)("%s: %s on %o is %s", ([, selection, event, expected]) => {
    expect(matches(selection, event)).toBe(expected);
  });

  test("a __proto__ that came as JSON is a field like any other", () => {
    expect(matches("selection: {__proto__.x: 1}", JSON.parse('{"__proto__":{"x":1}}') as object)).toBe(true);
  });

  test("a very long array does not exhaust the stack", () => {
    const members = Array.from({ length: 300_000 }, (_, index) => ({ b: [index] }));
    expect(matches("selection: {a.b: 299999}", { a: members })).toBe(true);
    expect(matches("selection: {b: x}", { b: members.map(() => "x") })).toBe(true);
  });
});
