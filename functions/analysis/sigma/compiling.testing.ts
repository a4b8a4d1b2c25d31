import { expect } from "vitest";

import { type Compiled, compileRuleSet } from "./compile.ts";
import type { Expression, Test } from "./language/expression.ts";

/** Compiles texts as the files `1.yml`, `2.yml` ...; the text itself serves as its hash. */
export function compile(...texts: readonly string[]): Compiled {
  return compileAt(undefined, ...texts);
}

/** As `compile`, at a moment: epoch milliseconds. */
export function compileAt(now: number | undefined, ...texts: readonly string[]): Compiled {
  const documents = texts.map((text, index) => ({ file: `${index + 1}.yml`, text }));
  return compileRuleSet(documents, { hash: (text) => text, now });
}

/** A rule around a detection that is indented by two; it begins in line 4, or after `more`. */
export function rule(detection: string, more = ""): string {
  return `title: A rule\nlogsource: {category: test}\n${more}detection:\n${detection}\n`;
}

/** Whether a rule with these identifiers matches an event. */
export function matches(identifiers: string, event: object, condition = "selection"): boolean {
  const { ruleSet, problems } = compile(rule(`  ${identifiers}\n  condition: ${condition}`));
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return ruleSet.match(event, { category: "test" }).length === 1;
}

/** What a selection (YAML in flow style) becomes. */
export function parsed(selection: string): Expression {
  const { ruleSet, problems } = compile(rule(`  s: ${selection}\n  condition: s`));
  expect(problems).toEqual([]);
  const detection = ruleSet.rules[0]?.detection;
  if (detection?.kind !== "named") throw new Error(`'${selection}' is no named selection`);
  return detection.of;
}

/** The tests of the only item of a selection. */
export function testsOf(selection: string): readonly Test[] {
  const expression = parsed(selection);
  const item = expression.kind === "not" ? expression.of : expression;
  if (item.kind !== "field" && item.kind !== "keywords") throw new Error(`'${selection}' has no tests`);
  return item.tests;
}

/** The patterns of the only item of a selection as texts: `*` and `?` are wildcards. */
export function patternsOf(selection: string): readonly string[] {
  return testsOf(selection).flatMap(textsOf);
}

function textsOf(test: Test): readonly string[] {
  if (test.kind === "any") return test.of.flatMap(textsOf);
  if (test.kind !== "pattern") throw new Error(`A ${test.kind} is no pattern`);
  const parts = test.pattern.map((part) => (typeof part === "object" ? part.literal : wildcards[part]));
  return [parts.join("")];
}

const wildcards = { many: "*", one: "?" };

/** Code, line and column of the problem a selection is refused for. */
export function refusal(selection: string): readonly [string, number, number] {
  const { ruleSet, problems } = compile(rule(`  s: ${selection}\n  condition: s`));
  const [problem] = problems;
  expect([ruleSet.rules.length, problems.length]).toEqual([0, 1]);
  return [problem?.code ?? "", problem?.line ?? 0, problem?.column ?? 0];
}
