import { compileRules } from "../../functions/analysis/rules/compile.ts";
import { readRuleFiles } from "../../functions/analysis/rules/files.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { CommandContext } from "../context.ts";
import { printProblems } from "./problems.ts";

/** The rules of a folder; those that do not load are told and left out. */
export async function loadRules(folder: string, { output }: CommandContext): Promise<RuleSet> {
  const { rules, problems: unread } = await readRuleFiles(folder);
  const { ruleSet, problems } = compileRules(rules);
  printProblems(
    [...unread, ...problems].filter(({ severity }) => severity === "error"),
    output,
  );
  return ruleSet;
}
