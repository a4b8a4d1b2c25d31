import { describe, expect, test } from "vitest";

import { createEngine, RulesInvalidError } from "./engine.ts";
import { codesOf, correlationText, document, letters, ruleOf } from "./engine.testing.ts";

function errorOf(...texts: readonly string[]): RulesInvalidError {
  try {
    createEngine(texts);
  } catch (error) {
    if (error instanceof RulesInvalidError) return error;
  }
  return expect.unreachable("the set is valid");
}

const broken = `title: Broken
logsource: {category: test}
detection:
  selection:
    f|sounds_like: x
  condition: selection
---
title: Fine
logsource: {category: test}
detection: {selection: {f: 1}, condition: selection}
---
title: Broken too
logsource: {category: test}
detection: {selection: {f: 1}, condition: selection and}
`;

test("one error names every problem with its code, text, line and column", () => {
  const error = errorOf(ruleOf({ selection: { f: 1 } }), broken, "a: [");
  expect(error.problems).toMatchObject([
    { code: "RULE_MODIFIER_UNKNOWN", text: 2, line: 5, column: 5 },
    { code: "RULE_CONDITION_INVALID", text: 2, line: 14 },
    { code: "RULE_YAML_INVALID", text: 3, line: 1 },
  ]);
  for (const { code, text, line, column, message } of error.problems) {
    expect(error.message).toContain(`text ${text}, line ${line}, column ${column}: ${code}: ${message}`);
  }
});

test("warnings refuse nothing", () => {
  const unused = { selection: { f: 1 }, unused: { g: 1 }, condition: "selection" };
  expect(createEngine([ruleOf(unused)]).evaluate({ f: 1 }, { category: "test" })).toEqual(["rule"]);
});

test("no texts and empty texts are a set without rules", () => {
  expect(createEngine([]).evaluate({ f: 1 }, { category: "test" })).toEqual([]);
  expect(createEngine(["", "---\n", "# nothing"]).evaluate({ f: 1 }, { category: "test" })).toEqual([]);
});

test("rules are known by id, else by name, else by title", () => {
  const selection = { selection: { f: 1 } };
  const engine = createEngine([
    ruleOf(selection),
    ruleOf(selection, { id: undefined, name: "a_name" }),
    ruleOf(selection, { id: undefined, title: "A title" }),
  ]);
  expect(engine.evaluate({ f: 1 }, { category: "test" })).toEqual(["rule", "a_name", "A title"]);
});

test("several documents of one text, and global ones, are read", () => {
  const engine = createEngine([
    [
      document({ action: "global", title: "Shared", logsource: { category: "test" } }),
      document({ id: "one", detection: { selection: { f: 1 }, condition: "selection" } }),
      document({ id: "two", title: "Own", detection: { selection: { f: 2 }, condition: "selection" } }),
    ].join("\n---\n"),
  ]);
  expect(engine.evaluate({ f: [1, 2] }, { category: "test" })).toEqual(["one", "two"]);
});

describe("refused are", () => {
  test.for([
    ["no title", [ruleOf({ selection: { f: 1 } }, { title: undefined })], ["RULE_ATTRIBUTE_MISSING"]],
    [
      "no log source",
      [ruleOf({ selection: { f: 1 } }, { logsource: undefined })],
      ["RULE_ATTRIBUTE_MISSING"],
    ],
    ["an empty log source", [ruleOf({ selection: { f: 1 } }, { logsource: {} })], ["RULE_LOGSOURCE_INVALID"]],
    [
      "the same id twice",
      [ruleOf({ selection: { f: 1 } }), ruleOf({ selection: { f: 2 } })],
      ["RULE_ID_DUPLICATE"],
    ],
    ["a list", ["[1, 2]"], ["RULE_DOCUMENT_INVALID"]],
    ["neither rule nor correlation", [document({ title: "x" })], ["RULE_DOCUMENT_INVALID"]],
    [
      "a correlation of nothing known",
      [correlationText({ condition: { gte: 2 } })],
      ["CORRELATION_RULE_UNKNOWN"],
    ],
    [
      "an unknown type",
      [...letters, correlationText({ type: "events", condition: { gte: 2 } })],
      ["CORRELATION_INVALID"],
    ],
    [
      "no timespan",
      [...letters, correlationText({ timespan: undefined, condition: { gte: 2 } })],
      ["RULE_ATTRIBUTE_MISSING"],
    ],
    [
      "an unknown comparison",
      [...letters, correlationText({ condition: { ge: 2 } })],
      ["CORRELATION_INVALID"],
    ],
    [
      "an unknown key",
      [...letters, correlationText({ condition: { gte: 2 }, window: "1m" })],
      ["CORRELATION_UNSUPPORTED"],
    ],
    [
      "a session without a gap",
      [
        ...letters,
        correlationText({ condition: { gte: 2 } }, { auditflow: { window: { type: "session" } } }),
      ],
      ["CORRELATION_INVALID"],
    ],
    [
      "a filter of an unknown rule",
      [
        document({
          title: "f",
          logsource: { category: "test" },
          filter: { rules: ["x"], selection: { f: 1 }, condition: "not selection" },
        }),
      ],
      ["FILTER_RULE_UNKNOWN"],
    ],
  ] as const)("%s", ([, texts, codes]) => expect(codesOf(...texts)).toEqual(codes));

  test("correlations that stand on each other", () => {
    const one = correlationText({ rules: ["two"], condition: { gte: 2 } }, { id: "one", title: "One" });
    const two = correlationText({ rules: ["one"], condition: { gte: 2 } }, { id: "two", title: "Two" });
    const self = correlationText({ rules: ["self"], condition: { gte: 2 } }, { id: "self", title: "Self" });
    expect(new Set(codesOf(one, two))).toEqual(new Set(["CORRELATION_CYCLE"]));
    expect(codesOf(self)).toEqual(["CORRELATION_CYCLE"]);
  });
});
