import { describe, expect, test } from "vitest";

import type { Expression, Test } from "../language/expression.ts";
import { answer, field, keywords, like } from "./both.testing.ts";

const not = (of: Expression): Expression => ({ kind: "not", of });

describe("texts", () => {
  test.for([
    ["abc", "ABC", true],
    ["abc", "abcd", false],
    ["a*c", "a\r\nc", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "a😀c", true],
    ["?", "İ", true],
    ["*i?", "xİ", false],
    ["k", "\u212a", true],
    ["straße", "STRASSE", false],
    ["ὀδυσσεύσ", "ὈΔΥΣΣΕΎΣ", true],
    ["s", "ſ", false],
    ["\\\\*", "\\anything", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["", "", true],
    ["", " ", false],
    ["*", "", true],
    ["*.exe", "a.EXE", true],
    ["*\\cmd.exe", "C:\\Windows\\cmd.exe", true],
    ["*\\cmd.exe", "cmd.exe", false],
    ["-enc*", "-ENC x", true],
    ["a*b*a", "aba", true],
    ["a*b*a", "ab", false],
  ] as const)("%s on %s: %s", ([value, text, expected]) => {
    expect(answer(field("f", like(value)), { f: text })).toBe(expected);
  });

  test("with regard to case nothing is folded", () => {
    expect(answer(field("f", like("aB*", { cased: true })), { f: "aBc" })).toBe(true);
    expect(answer(field("f", like("aB*", { cased: true })), { f: "abc" })).toBe(false);
  });
});

describe("what is not text", () => {
  test.for([
    ["4625", 4625, true],
    ["4625", "4625", true],
    ["04625", 4625, false],
    ["4625", "04625", false],
    ["true", true, true],
    ["-1.5", -1.5, true],
    ["12", 12n, true],
    ["null", null, false],
    ["*", null, false],
    ["*", undefined, false],
    ["*", () => 1, false],
    ["*", Symbol("s"), false],
    ['{"a":"b"}', { a: "B" }, true],
    ['*"a":"b"*', { a: "b", c: 1 }, true],
  ] as const)("%s on %o: %s", ([value, held, expected]) => {
    expect(answer(field("f", like(value)), { f: held })).toBe(expected);
  });

  test.for([
    ["lt", 5, 4, true],
    ["gte", 5, "5", true],
    ["gte", 5, "5.5e0", true],
    ["gte", 5, "abc", false],
    ["gte", 0, "", false],
    ["gte", 0, " 5", false],
    ["gte", 0, "0x10", false],
    ["gte", 0, true, false],
    ["gt", 5, 6n, true],
    ["lt", 5, null, false],
  ] as const)("%s %d on %o: %s", ([operator, operand, held, expected]) => {
    const compare: Test = { kind: "compare", operator, operand };
    expect(answer(field("f", compare), { f: held })).toBe(expected);
  });
});

describe("absent, null and present", () => {
  const isNull: Expression = { kind: "null", field: "f" };
  const exists: Expression = { kind: "exists", field: "f", expected: true };
  const isMissing: Expression = { kind: "exists", field: "f", expected: false };
  test.for([
    ["absent", {}, [true, false, true]],
    ["undefined", { f: undefined }, [true, false, true]],
    ["null", { f: null }, [true, true, false]],
    ["null in a list", { f: ["a", null] }, [true, true, false]],
    ["an empty text", { f: "" }, [false, true, false]],
    ["an empty list", { f: [] }, [false, true, false]],
    ["an empty object", { f: {} }, [false, true, false]],
  ] as const)("%s", ([, fields, expected]) => {
    expect([isNull, exists, isMissing].map((one) => answer(one, fields))).toEqual(expected);
  });

  test("what is absent passes no test, so not passing holds", () => {
    expect(answer(field("f", like("*")), {})).toBe(false);
    expect(answer(not(field("f", like("a"))), {})).toBe(true);
  });
});

describe("names, lists and nesting", () => {
  const isA = (name: string) => field(name, like("a"));
  test.for([
    ["a dotted key beats nesting", "x.y", { "x.y": "b", x: { y: "a" } }, false],
    ["the longer dotted key beats the shorter", "x.y.z", { "x.y": { z: "b" }, x: { "y.z": "a" } }, false],
    ["the shorter one serves when the longer leads nowhere", "x.y.z", { "x.y": {}, x: { "y.z": "a" } }, true],
    ["lists are crossed", "x.y", { x: [{ y: "b" }, 1, { y: "a" }] }, true],
    ["lists in lists are crossed", "x.y", { x: [[{ y: "a" }]] }, true],
    ["members are found at any depth of lists", "x", { x: [["b", ["a"]]] }, true],
    ["no inherited name", "constructor", {}, false],
    ["an own name of that kind", "constructor", JSON.parse('{"constructor":"a"}'), true],
    ["__proto__ as JSON may have it", "__proto__", JSON.parse('{"__proto__":"a"}'), true],
    ["below __proto__", "__proto__.x", JSON.parse('{"__proto__":{"x":"a"}}'), true],
    ["nothing of the prototype", "__proto__.x", {}, false],
    ["no length", "x.length", { x: "a" }, false],
  ] as const)("%s", ([, name, fields, expected]) => {
    expect(answer(isA(name), fields)).toBe(expected);
  });

  test("of all values each may be passed by another member", () => {
    const all: Expression = { kind: "field", field: "f", linkage: "all", tests: [like("*a*"), like("*b*")] };
    expect(answer(all, { f: ["xa", "xb"] })).toBe(true);
    expect(answer(all, { f: ["xa", "xc"] })).toBe(false);
  });

  test("alternatives of one value stay alternatives under all", () => {
    const any: Test = { kind: "any", of: [like("*-a*"), like("*/a*")] };
    const all: Expression = { kind: "field", field: "f", linkage: "all", tests: [any, like("*b*")] };
    expect(answer(all, { f: "/a b" })).toBe(true);
    expect(answer(all, { f: "a b" })).toBe(false);
  });

  test("keywords look at values anywhere, not at names", () => {
    expect(answer(keywords("foo"), { a: [{ b: "xFOOx" }] })).toBe(true);
    expect(answer(keywords("foo"), { foo: "bar" })).toBe(false);
    expect(answer(keywords("46?5"), { a: 4625 })).toBe(true);
    expect(answer({ kind: "and", of: [keywords("foo"), keywords("bar")] }, { a: "foo", b: ["bar"] })).toBe(
      true,
    );
  });
});

describe("other fields", () => {
  const refers = (shape: "equals" | "contains" | "startswith" | "endswith", cased = false): Expression =>
    field("f", { kind: "fieldref", field: "g", shape, cased });
  test.for([
    ["equals", { f: "A", g: "a" }, true],
    ["equals", { f: 5, g: "5" }, true],
    ["equals", { f: "a" }, false],
    ["equals", { f: ["a", "b"], g: ["c", "b"] }, true],
    ["equals", { f: null, g: null }, false],
    ["contains", { f: "xay", g: "A" }, true],
    ["startswith", { f: "abc", g: "ab" }, true],
    ["endswith", { f: "abc", g: "ab" }, false],
  ] as const)("%s on %o: %s", ([shape, fields, expected]) => {
    expect(answer(refers(shape), fields)).toBe(expected);
  });
  test("with regard to case", () => expect(answer(refers("equals", true), { f: "A", g: "a" })).toBe(false));
});

describe("times", () => {
  const at = (part: Extract<Test, { kind: "time" }>["part"], operand: number) =>
    field("f", { kind: "time", part, operator: "eq", operand });
  test.for([
    ["hour", 23, "2024-12-31T23:30:00-01:00", false],
    ["hour", 0, "2024-12-31T23:30:00-00:30", true],
    ["year", 2025, "2024-12-31T23:30:00-00:30", true],
    ["week", 1, "2024-12-30 00:00:00", true],
    ["week", 53, "2021-01-03T10:00Z", true],
    ["week", 1, "1970-01-01T00:00:00Z", true],
    ["day", 29, "2024-02-29T00:00:00.123Z", true],
    ["day", 29, "2023-02-29T00:00:00Z", false],
    ["month", 13, "2023-13-01T00:00:00Z", false],
    ["minute", 59, "2016-12-31T23:59:60Z", true],
    ["year", 2023, 1_700_000_000, true],
    ["year", 2023, 1_700_000_000_000, true],
    ["year", 1969, -1, true],
    ["hour", 12, "12:00:00", false],
    ["year", 2023, "2023", false],
  ] as const)("%s %d in %s: %s", ([part, operand, held, expected]) => {
    expect(answer(at(part, operand), { f: held })).toBe(expected);
  });
});

describe("networks", () => {
  const inside = (bytes: readonly number[], prefix: number) => field("f", { kind: "cidr", bytes, prefix });
  const v6 = (...start: readonly number[]) => [
    ...start,
    ...Array.from({ length: 16 - start.length }, () => 0),
  ];
  test.for([
    [[10, 0, 0, 0], 8, "10.255.0.1", true],
    [[10, 0, 0, 0], 8, "11.0.0.1", false],
    [[10, 0, 8, 0], 21, "10.0.15.255", true],
    [[10, 0, 8, 0], 21, "10.0.16.0", false],
    [[0, 0, 0, 0], 0, "1.2.3.4", true],
    [[0, 0, 0, 0], 0, "::1", false],
    [[10, 0, 0, 0], 8, "::ffff:10.0.0.1", true],
    [[10, 0, 0, 0], 8, "::FFFF:a00:1", true],
    [[10, 0, 0, 0], 8, "010.0.0.1", false],
    [[10, 0, 0, 0], 8, "10.0.0.1:80", false],
    [[10, 0, 0, 0], 8, "10.0.0", false],
    [[10, 0, 0, 0], 8, " 10.0.0.1", false],
    [[10, 0, 0, 0], 8, "10.0.0.256", false],
    [v6(0xfe, 0x80), 10, "fe80::1", true],
    [v6(0xfe, 0x80), 10, "febf::", true],
    [v6(0xfe, 0x80), 10, "fec0::", false],
    [v6(0xfe, 0x80), 10, "fe80::1%eth0", false],
    [v6(), 0, "1:2:3:4:5:6:7:8", true],
    [v6(), 0, "1:2:3:4:5:6:7::", true],
    [v6(), 0, "1:2:3:4:5:6:7:8::", false],
    [v6(), 0, "1::2::3", false],
    [v6(), 0, "::1.2.3.4", true],
    [v6(), 0, "1.2.3.4::", false],
    [v6(), 0, "10.0.0.1", false],
    [v6(), 128, "::", true],
  ] as const)("%j/%d on %s: %s", ([bytes, prefix, text, expected]) => {
    expect(answer(inside(bytes, prefix), { f: text })).toBe(expected);
  });
});
