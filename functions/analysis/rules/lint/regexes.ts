import type { Expression, Test } from "../../sigma/language/expression.ts";
import type { RuleProblem } from "../../sigma/language/problem.ts";
import { requiredLiterals } from "../../sigma/matching/regex-plan.ts";
import { parseRegex } from "../../sigma/matching/regex-syntax.ts";
import type { RuleSet } from "../../sigma/rule-set.ts";
import { warning } from "./warning.ts";

/**
 * Regular expressions without any text that a match must contain: every other one is tried only on values
 * that hold such a text, these are tried on every value.
 */
export function regexesWithoutLiteral({ rules }: RuleSet): readonly RuleProblem[] {
  return rules.flatMap((rule) =>
    regexesOf(rule.detection)
      .filter(({ source, flags }) => !hasLiteral(source, flags))
      .map(({ source }) =>
        warning("RULE_REGEX_WITHOUT_LITERAL", rule, `No text must occur where /${source}/ matches.`),
      ),
  );
}

function hasLiteral(source: string, flags: string): boolean {
  const regex = parseRegex(source, flags);
  // What our own reader does not understand, the engine runs without a gate as well.
  return regex !== undefined && requiredLiterals(regex) !== undefined;
}

type Regex = Extract<Test, { kind: "regex" }>;

function regexesOf(expression: Expression): readonly Regex[] {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.of.flatMap(regexesOf);
    case "not":
    case "named":
      return regexesOf(expression.of);
    case "field":
    case "keywords":
      return expression.tests.flatMap(regexesIn);
    case "null":
    case "exists":
      return [];
    default:
      return expression satisfies never;
  }
}

function regexesIn(test: Test): readonly Regex[] {
  if (test.kind === "any") return test.of.flatMap(regexesIn);
  return test.kind === "regex" ? [test] : [];
}
