import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { RuleProblem } from "../sigma/language/problem.ts";
import { groupByLogsource } from "../sigma/matching/matcher.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type Activation, activateRules } from "./activation.ts";
import { readRuleFiles } from "./files.ts";
import { encodePack, type StageContent } from "./pack-encode.ts";

export interface BuiltPack {
  /** The pack as a file holds it; nothing when no rule is left to pack. */
  readonly text: string | undefined;
  /** The rule set that is in force while no filter has expired. */
  readonly ruleSet: RuleSet;
  readonly logsources: number;
  readonly cases: Activation["cases"];
  /** Everything found wrong; rules with errors, and those that fail their cases, are not in the pack. */
  readonly problems: readonly RuleProblem[];
}

/** The specification the language follows. */
const sigma = "2.1.0";

/**
 * Compiles a folder of rules into a pack, the same bytes for the same folder and program (`builtBy`).
 * Rules keep their authors and licences, and the folder's licence file goes along.
 */
export async function buildPack(directory: string, builtBy: string): Promise<BuiltPack> {
  const activation = activateRules(await readRuleFiles(directory));
  const { ruleSet, problems, expiresAt } = activation.at(undefined);
  const stage = contentOf(ruleSet, problems);
  const { cases } = activation;
  const content = {
    builtBy,
    sigma,
    cases,
    stage,
    later: laterStages(activation, expiresAt),
    license: await readLicense(directory),
  };
  const text = ruleSet.size > 0 ? encodePack(content) : undefined;
  return { text, ruleSet, logsources: stage.groups.length, cases, problems };
}

/** What is in force after each moment at which a filter expires: a pack is not built again by itself. */
function laterStages(activation: Activation, firstAt: number | undefined) {
  const stages: (StageContent & { readonly from: number })[] = [];
  for (let from = firstAt; from !== undefined;) {
    const { ruleSet, problems, expiresAt } = activation.at(from);
    stages.push({ from, ...contentOf(ruleSet, problems) });
    from = expiresAt;
  }
  return stages;
}

function contentOf(ruleSet: RuleSet, problems: readonly RuleProblem[]): StageContent {
  const { hash, rules, correlations } = ruleSet;
  return { hash, groups: groupByLogsource(rules), correlations, problems };
}

async function readLicense(directory: string) {
  const names = await readdir(directory);
  const file = names.toSorted().find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name));
  return file === undefined ? undefined : { file, text: await readFile(join(directory, file), "utf8") };
}
