import * as fc from "fast-check";

import type { Expression, Pattern, Test } from "../language/expression.ts";
import { joinPattern } from "../language/pattern.ts";

/**
 * Rules and events that meet: both are made of few names and few, related texts, so that most tests are
 * decided by more than chance, and of what has gone wrong in such engines: case beyond ASCII (the kelvin
 * sign folds to `k`, `İ` changes its length, the final sigma depends on its place, the long s is an `s` to
 * regular expressions), empty texts, line ends, dotted names, arrays and numbers as texts.
 */
const pieces = [
  ..."a b A K k s ß Σ σ ς İ i ſ 1 . - \\ * ? \n é É 😀".split(" "),
  "\u212a",
  " ",
  "cmd.exe",
  "CMD.EXE",
  "\\cmd",
  "powershell",
  "-enc",
  "abcd",
  "ABCDabcd",
  "4625",
];
const piece = fc.constantFrom(...pieces);
const text = fc.oneof(
  { weight: 3, arbitrary: piece },
  { weight: 3, arbitrary: fc.array(piece, { maxLength: 4 }).map((parts) => parts.join("")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "10.0.0.1", "10.0.9.9", "::ffff:10.0.0.1", "fe80::1", "04625"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("2024-12-30T23:30:00-01:00", "2021-01-03 10:05:00", "-1.5", "1e3"),
  },
);

const segment = fc.constantFrom("f", "g", "h", "constructor", "__proto__", "a.b");
const fieldName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("f", "g") },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom("f", "g"), segment).map((parts) => parts.join(".")) },
  { weight: 1, arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")) },
  { weight: 1, arbitrary: fc.constantFrom("", ".", "f.", ".f", "f..g") },
);

const part = fc.oneof(
  text.filter((value) => value !== "").map((literal) => ({ literal })),
  fc.constantFrom("many" as const, "one" as const),
);
const pattern: fc.Arbitrary<Pattern> = fc.oneof(
  { weight: 3, arbitrary: text.map((value): Pattern => (value === "" ? [] : [{ literal: value }])) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(text, fc.constantFrom(0, 1, 2))
      .map(([value, shape]) => joinPattern(shaped(value === "" ? [] : [{ literal: value }], shape))),
  },
  { weight: 2, arbitrary: fc.array(part, { maxLength: 5 }).map(joinPattern) },
);

function shaped(parts: Pattern, shape: number): Pattern {
  if (shape === 0) return ["many", ...parts, "many"];
  return shape === 1 ? [...parts, "many"] : ["many", ...parts];
}

const sources = [
  ..."cmd CMD\\.exe (a|b)+ ^a b$ [a-c]{2,3} a.c \\d+ \\bK k s+ .{3,} (ab|cd|4625) [^a]b".split(" "),
  ..."-enc\\s* (?i)POWER é \\\\ (a+)+$ (a|a)*b .*a.*b [\\w.]+exe \\W ^$ . Ab?c* (?:cmd|power).* \\x41".split(
    " ",
  ),
];
const regex: fc.Arbitrary<Test> = fc.record({
  kind: fc.constant("regex" as const),
  source: fc.constantFrom(...sources),
  flags: fc.constantFrom("", "i", "m", "s", "im", "is", "ims"),
});

const networks = [
  { bytes: [10, 0, 0, 0], prefix: 8 },
  { bytes: [10, 0, 0, 0], prefix: 21 },
  { bytes: [0, 0, 0, 0], prefix: 0 },
  { bytes: [10, 0, 0, 1], prefix: 32 },
  { bytes: [0xfe, 0x80, ...Array.from({ length: 14 }, () => 0)], prefix: 10 },
  { bytes: [...Array.from({ length: 10 }, () => 0), 0xff, 0xff, 10, 0, 0, 0], prefix: 104 },
];

const simple: fc.Arbitrary<Test> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("pattern" as const),
      pattern,
      cased: fc.nat({ max: 3 }).map((chance) => chance === 0),
    }),
  },
  { weight: 3, arbitrary: regex },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...networks).map((network) => ({ kind: "cidr" as const, ...network })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("compare" as const),
      operator: fc.constantFrom("lt", "lte", "gt", "gte"),
      operand: fc.constantFrom(-1.5, 0, 1, 4625, 1000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      part: fc.constantFrom("minute", "hour", "day", "week", "month", "year"),
      operator: fc.constantFrom("lt", "lte", "gt", "gte", "eq"),
      operand: fc.constantFrom(0, 1, 5, 12, 31, 53, 1970, 2021),
    }),
  },
);
const test: fc.Arbitrary<Test> = fc.oneof(
  { weight: 12, arbitrary: simple },
  { weight: 1, arbitrary: fc.array(simple, { maxLength: 3 }).map((of) => ({ kind: "any" as const, of })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fieldref" as const),
      field: fieldName,
      shape: fc.constantFrom("equals", "contains", "startswith", "endswith"),
      cased: fc.boolean(),
    }),
  },
);

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("field" as const),
      field: fieldName,
      linkage: fc.constantFrom("any", "any", "all"),
      tests: fc.oneof(
        { weight: 6, arbitrary: fc.array(test, { minLength: 1, maxLength: 3 }) },
        // Long lists are asked in another way.
        { weight: 1, arbitrary: fc.array(test, { minLength: 9, maxLength: 14 }) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("null" as const), field: fieldName }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("exists" as const), field: fieldName, expected: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.oneof(
          pattern.map((of) => ({ kind: "pattern" as const, pattern: of, cased: false })),
          regex,
        ),
        {
          minLength: 1,
          maxLength: 3,
        },
      )
      .map((tests) => ({ kind: "keywords" as const, tests })),
  },
);

/** Detections up to three connectives deep. */
export const expression: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    { weight: 5, arbitrary: leaf },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("and", "or"),
        of: fc.array(tie("node"), { maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: tie("node").map((of) => ({ kind: "not" as const, of })) },
    { weight: 1, arbitrary: tie("node").map((of) => ({ kind: "named" as const, name: "s", of })) },
  ),
})).node;

const scalar = fc.oneof(
  { weight: 8, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(0, 1, -1.5, 4625, 1e3, 1_700_000_000, 1_609_668_300_000, 1e21),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(true, false, null, undefined, 4625n) },
);
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("f", "g", "h") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "constructor",
      "__proto__",
      "a.b",
      "f.g",
      "a",
      "b",
      "",
      "f.",
      "f.a.b",
      "other",
    ),
  },
);

/** Events of JSON's making: whatever a key is called, it is the object's own. */
export const event: fc.Arbitrary<object> = fc.letrec<{ value: unknown; container: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { weight: 5, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 2, arbitrary: tie("container") },
  ),
  container: fc
    .array(fc.tuple(key, tie("value")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
})).container;
