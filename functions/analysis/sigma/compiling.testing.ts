import { expect } from "vitest";

import { type Compiled, compileRuleSet } from "./compile.ts";

/** Compiles texts as the files `1.yml`, `2.yml` ...; the text itself serves as its hash. */
export function compile(...texts: readonly string[]): Compiled {
  const documents = texts.map((text, index) => ({ file: `${index + 1}.yml`, text }));
  return compileRuleSet(documents, { hash: (text) => text });
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
