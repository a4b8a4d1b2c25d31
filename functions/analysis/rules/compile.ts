import { compileRuleSet, type Compiled, type RuleDocument } from "../sigma/compile.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { groupByLogsource } from "../sigma/matching/matcher.ts";
import type { Rule } from "../sigma/rule.ts";
import { createRuleSet, hashOf, type RuleSet } from "../sigma/rule-set.ts";
import { sha256 } from "./digest.ts";
import { withSuppression } from "./suppression.ts";

/**
 * Compiles rule files with SHA-256 revisions, and what they say for AuditFlow about suppression. Filters
 * that have expired by `now` (epoch milliseconds) are not applied; without it nothing expires.
 */
export function compileRules(documents: readonly RuleDocument[], now?: number): Compiled {
  const compiled = compileRuleSet(documents, { hash: sha256, now });
  const { rules, correlations } = compiled.ruleSet;
  const suppressed = withSuppression({ rules, correlations }, sha256);
  if (suppressed.correlations.length === correlations.length) return compiled;
  return { ...compiled, ruleSet: ruleSetOf(suppressed.rules, suppressed.correlations) };
}

/** The rule set of compiled rules and correlations. */
export function ruleSetOf(rules: readonly Rule[], correlations: readonly Correlation[]): RuleSet {
  return createRuleSet({
    hash: hashOf(rules, correlations, sha256),
    size: rules.length + correlations.length,
    groups: groupByLogsource(rules),
    correlations,
  });
}
