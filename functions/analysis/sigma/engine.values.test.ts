import { describe, expect, test } from "vitest";

import { holds, refusal } from "./engine.testing.ts";

type Row = readonly [name: string, selection: object, event: object, expected: boolean];
type Rows = readonly Row[];

function check(rows: Rows): void {
  test.for(rows)("%s: %j on %j is %s", ([, selection, event, expected]) => {
    expect(holds({ selection }, event)).toBe(expected);
  });
}

/** A value against a text: [name, value as in the rule, text, whether it matches]. */
function values(key: string, rows: readonly (readonly [string, unknown, unknown, boolean])[]): Rows {
  return rows.map(([name, value, text, expected]) => [name, { [key]: value }, { f: text }, expected]);
}

describe("a text", () => {
  check(
    values("f", [
      ["is compared as a whole", "abc", "abc", true],
      ["is not found inside another", "abc", "xabcx", false],
      ["is compared without case", "aBc", "AbC", true],
      ["is compared without case beyond ASCII", "ÄRGER Ж", "ärger ж", true],
      ["with a final sigma", "ΟΔΟΣ", "οδος", true],
      ["with the Kelvin sign, which folds to k", "kelvin", "\u212Aelvin", true],
      ["with a dotted capital I, which grows when folded", "\u0130x", "i\u0307x", true],
      ["that is longer when folded does not lose its end", "*x", "\u0130\u0130x", true],
      ["* is any length", "a*c", "abbbc", true],
      ["* is also nothing", "a*c", "ac", true],
      ["* crosses lines", "a*c", "a\n\r\nc", true],
      ["* alone matches the empty text", "*", "", true],
      ["? is one character", "a?c", "abc", true],
      ["? is not none", "a?c", "ac", false],
      ["? is not two", "a?c", "abbc", false],
      ["? is a line break too", "a?c", "a\nc", true],
      ["\\* is a star", "a\\*c", "a*c", true],
      ["\\* is no wildcard", "a\\*c", "abc", false],
      ["\\? is a question mark", "a\\?c", "a?c", true],
      ["\\? is no wildcard", "a\\?c", "abc", false],
      ["\\\\ is a backslash", "a\\\\b", "a\\b", true],
      ["a backslash before anything else is itself", "a\\b", "a\\b", true],
      ["\\\\* is a backslash and a wildcard", "a\\\\*", "a\\bcd", true],
      ["\\\\* needs the backslash", "a\\\\*", "abcd", false],
      ["\\\\\\* is a backslash and a star", "a\\\\\\*", "a\\*", true],
      ["\\\\\\* is no wildcard", "a\\\\\\*", "a\\b", false],
      ["three backslashes are two", "a\\\\\\b", "a\\\\b", true],
      ["four backslashes are two", "a\\\\\\\\b", "a\\\\b", true],
      ["a backslash at the end is itself", "a\\", "a\\", true],
      ["regular expressions have no meaning", "a.c", "abc", false],
      ["a list is any of them", ["x", "abc"], "abc", true],
      ["a list is nothing else", ["x", "y"], "abc", false],
    ]),
  );
});

describe("contains, startswith and endswith", () => {
  check([
    ...values("f|contains", [
      ["anywhere", "b", "abc", true],
      ["without case", "B", "abc", true],
      ["a backslash at both ends stays one", "\\temp\\", "C:\\Temp\\x", true],
      ["a backslash at the end does not escape", "\\temp\\", "C:\\temp*", false],
      ["a wildcard inside stays one", "foo*bar", "xx foo and bar yy", true],
      ["a wildcard inside is not left out", "foo*bar", "xx bar foo yy", false],
      ["any of a list", ["x", "b"], "abc", true],
      ["across lines", "b", "a\nb\nc", true],
    ]),
    ...values("f|startswith", [
      ["at the start", "ab", "abc", true],
      ["not later", "bc", "abc", false],
      ["with a wildcard inside", "a*c", "abcd", true],
      ["a question mark inside", "a?c", "abcd", true],
    ]),
    ...values("f|endswith", [
      ["at the end", "bc", "abc", true],
      ["not earlier", "ab", "abc", false],
      ["with a wildcard inside", "b*d", "abcd", true],
      ["after a line break", "c", "ab\nc", true],
    ]),
    ...values("f|contains|all", [
      ["all of them", ["a", "c"], "abc", true],
      ["not only some", ["a", "x"], "abc", false],
    ]),
  ]);
});

describe("numbers and other values", () => {
  check(
    values("f", [
      ["a number is the same number", 4625, 4625, true],
      ["a number is its text", 4625, "4625", true],
      ["a text is its number", "4625", 4625, true],
      ["a number is not another spelling", 4625, "04625", false],
      ["a fraction", 1.5, "1.5", true],
      ["a negative number", -1, -1, true],
      ["true is its text", true, "TRUE", true],
      ["a text is its boolean", "true", true, true],
      ["false is not absent", false, false, true],
      ["a date is a text", "2024-01-01", "2024-01-01", true],
      ["an object is its JSON text", '{"a":1}', { a: 1 }, true],
    ]),
  );
  check(
    values("f|contains", [
      ["a part of an object's JSON text", '"evil.example"', { host: "evil.example" }, true],
      ["a part of a number", 62, 4625, true],
    ]),
  );
});

describe("null, empty, absent and exists", () => {
  const absent = {};
  const states = [
    ["absent", absent],
    ["null", { f: null }],
    ["empty", { f: "" }],
    ["a text", { f: "x" }],
    ["undefined", { f: undefined }],
  ] as const;
  test.for([
    ["null", { f: null }, "absent null undefined"],
    ["an empty list", { f: [] }, "absent null undefined"],
    ["an empty text", { f: "" }, "empty"],
    ["exists", { "f|exists": true }, "null empty a text"],
    ["exists not", { "f|exists": false }, "absent undefined"],
    ["a wildcard", { f: "*" }, "empty a text"],
    ["a text", { f: "x" }, "a text"],
    ["another text", { "f|neq": "y" }, "absent null empty a text undefined"],
    ["not the text", { "f|neq": "x" }, "absent null empty undefined"],
    ["contains", { "f|contains": "x" }, "a text"],
    ["a regular expression for anything", { "f|re": ".*" }, "empty a text"],
    ["less than", { "f|lt": 5 }, ""],
  ] as const)("%s holds for %j: %s", ([, selection, expected]) => {
    const found = states.filter(([, event]) => holds({ selection }, event)).map(([name]) => name);
    expect(found.toSorted()).toEqual(
      states
        .map(([name]) => name)
        .filter((name) => expected.includes(name))
        .toSorted(),
    );
  });

  test("not is two-valued: it holds for an absent field", () => {
    const detection = { selection: { g: 1 }, filter: { f: "x" }, condition: "selection and not filter" };
    expect(holds(detection, { g: 1 })).toBe(true);
    expect(holds(detection, { g: 1, f: "x" })).toBe(false);
  });

  test("null in a list is refused", () =>
    expect(refusal({ selection: { f: ["x", null] } })).not.toBe("loads"));
});

describe("comparisons", () => {
  check([
    ...values("f|lt", [
      ["below", 5, 4.9, true],
      ["equal", 5, 5, false],
      ["a text that is a number", 5, "4", true],
      ["any other text", 5, "x", false],
      ["the empty text", 5, "", false],
      ["a boolean", 5, true, false],
    ]),
    ...values("f|lte", [
      ["equal", 5, "5", true],
      ["above", 5, 5.1, false],
    ]),
    ...values("f|gt", [
      ["above", 5, 6, true],
      ["equal", 5, 5, false],
    ]),
    ...values("f|gte", [
      ["equal", 5, 5, true],
      ["below", 5, 4, false],
      ["a member of a list", 5, [1, 7], true],
    ]),
    ...values("f|neq", [
      ["a list: none of them", ["x", "y"], "z", true],
      ["a list: not one of them", ["x", "y"], "y", false],
      ["a number as text", 4625, "4625", false],
    ]),
  ]);
});

describe("regular expressions", () => {
  check([
    ...values("f|re", [
      ["are found anywhere", "b.d", "abcde", true],
      ["know case", "B", "abc", false],
      ["keep their backslashes", "\\d\\.\\d", "v1.2", true],
      ["with inline flags", "(?i)B", "abc", true],
      ["with several inline flags", "(?is)A.C", "xa\ncx", true],
      ["have no dot for line breaks", "a.c", "a\nc", false],
      ["are anchored where they say so", "^b", "abc", false],
    ]),
    ...values("f|re|i", [["without case", "B", "abc", true]]),
    ...values("f|re|ignorecase", [["without case, in words", "B", "abc", true]]),
    ...values("f|re|m", [["^ at every line", "^b$", "a\nb\nc", true]]),
    ...values("f|re|s", [["a dot for line breaks", "a.c", "a\nc", true]]),
    ...values("f|re|i|s", [["flags together", "A.C", "a\nc", true]]),
    ...values("f|re|startswith", [
      ["at the start", "b", "abc", false],
      ["alternatives too", "x|a", "abc", true],
    ]),
    ...values("f|re|endswith", [
      ["at the end", "c|x", "abc", true],
      ["nowhere else", "a|x", "abc", false],
    ]),
    ...values("f|re|contains", [["anywhere", "b", "abc", true]]),
    ["all of them", { "f|re|all": ["a", "c"] }, { f: "abc" }, true],
  ]);
  test.for([
    ["a backreference", "(a)\\1"],
    ["lookahead", "a(?=b)"],
    ["lookbehind", "(?<=a)b"],
    ["broken", "("],
  ] as const)("%s is refused", ([, source]) =>
    expect(refusal({ selection: { "f|re": source } })).toBe("RULE_REGEX_INVALID"),
  );
});

describe("cased", () => {
  check([
    ...values("f|cased", [
      ["the same case", "aBc", "aBc", true],
      ["another case", "aBc", "abc", false],
    ]),
    ...values("f|contains|cased", [
      ["inside", "B", "aBc", true],
      ["inside in another case", "B", "abc", false],
    ]),
  ]);
});
