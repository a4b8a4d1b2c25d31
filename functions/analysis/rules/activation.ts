import type { Compiled } from "../sigma/compile.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { checkCases } from "./cases.ts";
import { compileRules, ruleSetOf } from "./compile.ts";
import type { RuleFiles } from "./files.ts";
import { leaveOut } from "./leave-out.ts";

/** The rules of a folder, of which only those go into force that pass their own cases. */
export interface Activation {
  readonly cases: { readonly passed: number; readonly failed: number };
  /**
   * The rule set at a time (epoch milliseconds; without it no filter expires), and everything that was
   * found wrong with the folder.
   */
  at(now: number | undefined): Pick<Compiled, "ruleSet" | "problems" | "expiresAt">;
}

/**
 * Compiles rule files and runs their cases. Cases speak of the rules as they are written, with every
 * filter applied: a verdict that depended on the clock would take a rule out of force on the day an
 * exception to it expires.
 */
export function activateRules(files: RuleFiles): Activation {
  const written = compileRules(files.rules);
  const verdict = judge(written.ruleSet, files);
  return {
    cases: verdict.cases,
    at(now) {
      const hasExpired = now !== undefined && written.expiresAt !== undefined && now >= written.expiresAt;
      const compiled = hasExpired ? compileRules(files.rules, now) : written;
      const { ruleSet, orphans } = without(compiled.ruleSet, verdict.failing);
      const problems = [...files.problems, ...compiled.problems, ...verdict.problems, ...orphans];
      return { ruleSet, problems, expiresAt: compiled.expiresAt };
    },
  };
}

interface Verdict extends Pick<Activation, "cases"> {
  /** Ids of the rules and correlations that did not do as their cases expect. */
  readonly failing: ReadonlySet<string>;
  readonly problems: readonly RuleProblem[];
}

function judge(ruleSet: RuleSet, { cases }: RuleFiles): Verdict {
  const { files, problems } = checkCases(ruleSet, cases);
  const results = files.flatMap(({ casesFile, results }) => results.map((one) => ({ ...one, casesFile })));
  const failed = results.filter(({ failures }) => failures.length > 0);
  return {
    cases: { passed: results.length - failed.length, failed: failed.length },
    failing: new Set(failed.flatMap(({ blamed }) => blamed)),
    problems: [...problems, ...failed.map((result) => failure(result, ruleSet))],
  };
}

type FailedCase = ReturnType<typeof checkCases>["files"][number]["results"][number] & {
  readonly casesFile: string;
};

function failure({ casesFile, title, line, failures, blamed }: FailedCase, ruleSet: RuleSet): RuleProblem {
  const rules = [...ruleSet.rules, ...ruleSet.correlations].filter(({ id }) => blamed.includes(id));
  // A rule whose repetitions are suppressed raises by a correlation of its own title.
  const left = [...new Set(rules.map((rule) => ` '${rule.title}' is left out.`))].join("");
  const message = `The case '${title}' fails: ${failures.join("; ")}.${left}`;
  return { code: "RULE_CASES_FAILED", severity: "error", file: casesFile, line, column: 1, message };
}

/** A rule set without some of its rules and correlations, and without what refers to those. */
function without(ruleSet: RuleSet, ids: ReadonlySet<string>) {
  if (ids.size === 0) return { ruleSet, orphans: [] };
  const { rules, correlations, orphans } = leaveOut(ruleSet, ids, "failed its cases");
  return { ruleSet: ruleSetOf(rules, correlations), orphans };
}
