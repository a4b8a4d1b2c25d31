import { compileRuleSet, type Compiled, type RuleDocument } from "../sigma/compile.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { groupByLogsource } from "../sigma/matching/matcher.ts";
import type { Rule } from "../sigma/rule.ts";
import { createRuleSet, hashOf, type RuleSet } from "../sigma/rule-set.ts";
import { contentProblems } from "./content.ts";
import { sha256 } from "./digest.ts";
import { leaveOut } from "./leave-out.ts";
import { withSuppression } from "./suppression.ts";

/**
 * Compiles rule files with SHA-256 revisions, and what they say for AuditFlow: rules of which that is malformed
 * are left out, because a rule that was meant to be on trial must not alert. Filters that have expired by
 * `now` (epoch milliseconds) are not applied; without it nothing expires.
 */
export function compileRules(documents: readonly RuleDocument[], now?: number): Compiled {
  const compiled = compileRuleSet(documents, { hash: sha256, now });
  const { rules, correlations } = compiled.ruleSet;
  const malformed = [...rules, ...correlations].filter((item) => contentProblems(item).length > 0);
  const ids = new Set(malformed.map(({ id }) => id));
  const { orphans, ...kept } = leaveOut(compiled.ruleSet, ids, "is malformed");
  const suppressed = withSuppression(kept, sha256);
  if (ids.size === 0 && suppressed.correlations.length === correlations.length) return compiled;
  return {
    ...compiled,
    ruleSet: ruleSetOf(suppressed.rules, suppressed.correlations),
    problems: [...compiled.problems, ...malformed.flatMap(contentProblems), ...orphans],
  };
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
