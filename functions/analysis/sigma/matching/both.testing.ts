import { expect } from "vitest";

import type { Expression, Pattern, Test } from "../language/expression.ts";
import { parsePattern } from "../language/pattern.ts";
import { holds } from "./plain.ts";
import { createRuleIndex } from "./rule-index.ts";

/** Whether a detection holds for an event, by the index and by the definition, which must agree. */
export function answer(detection: Expression, fields: object): boolean {
  const index = createRuleIndex([{ detection }]);
  const first = index.match(fields).length === 1;
  // The second time from memory.
  expect(index.match(fields).length === 1).toBe(first);
  expect(holds(detection, fields)).toBe(first);
  return first;
}

/** A test for a value as it is written in a rule. */
export function like(value: string, { cased = false } = {}): Test {
  return { kind: "pattern", pattern: parsePattern(value), cased };
}

export function field(name: string, ...tests: readonly Test[]): Expression {
  return { kind: "field", field: name, linkage: "any", tests };
}

export function keywords(...texts: readonly string[]): Expression {
  return {
    kind: "keywords",
    tests: texts.map((text) => ({ kind: "pattern", pattern: wrap(text), cased: false })),
  };
}

function wrap(text: string): Pattern {
  return ["many", ...parsePattern(text), "many"];
}
