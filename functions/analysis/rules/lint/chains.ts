import { planOf } from "../../correlation/plan.ts";
import type { RuleProblem } from "../../sigma/language/problem.ts";
import type { RuleSet } from "../../sigma/rule-set.ts";
import { warning } from "./warning.ts";

/**
 * Correlations of correlations that fire first are evaluated from the ledger whenever something they refer to
 * comes. A correlation comes seldom; a rule that is named beside it may come with every event.
 */
export function replayingChains({ correlations }: RuleSet): readonly RuleProblem[] {
  return planOf(correlations)
    .parts.filter(({ isChain, mode }) => isChain && mode === "ledger")
    .filter(({ correlation }) => correlation.refersTo.some(({ kind }) => kind === "rule"))
    .map(({ correlation }) => {
      const message = `'${correlation.title}' reads the ledger at every event of the rules it names; let it name correlations only.`;
      return warning("CORRELATION_REPLAYS", correlation, message);
    });
}
