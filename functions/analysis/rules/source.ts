import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { RuleError, type RuleProblem, type RuleProblemCode } from "../sigma/language/problem.ts";
import { createRuleSet, type RuleSet } from "../sigma/rule-set.ts";
import { sha256 } from "./digest.ts";
import { readRuleFiles } from "./files.ts";
import { openPack, type Pack, stageAt } from "./pack.ts";

/** Rules where they lie: a folder of YAML, or a pack. */
export interface RulesSource {
  /** Tells a change from a touch. */
  readonly digest: string;
  /** The rules at a time (epoch milliseconds); without it no filter expires. */
  load(now: number | undefined): Promise<LoadedRules>;
}

export interface LoadedRules {
  readonly ruleSet: RuleSet;
  readonly problems: readonly RuleProblem[];
  /** The errors among them that speak against replacing another set by this one. */
  readonly objections: readonly RuleProblem[];
  /** Epoch milliseconds at which the next filter expires: load again then. */
  readonly expiresAt?: number | undefined;
}

const packSuffix = ".pack.json";

/**
 * Reads what a path names: a pack file, a folder whose only content of ours is one `*.pack.json`, or a
 * folder of rule files. Nothing is compiled yet. What cannot be read is a source of no rules, with a problem.
 */
export async function readSource(path: string): Promise<RulesSource> {
  try {
    if ((await stat(path)).isFile()) return await readPack(path);
    const packs = (await readdir(path)).filter((name) => name.endsWith(packSuffix) && !name.startsWith("."));
    const [name] = packs;
    if (name === undefined) return await readFolder(path);
    const { rules, cases } = await readRuleFiles(path);
    const others = [...packs.slice(1), ...[...rules, ...cases].map(({ file }) => file)];
    if (others.length === 0) return await readPack(join(path, name));
    const message = `The folder holds ${others.length} more files of rules beside ${name}: name the one that is meant.`;
    return noRules("RULE_PACK_INVALID", path, message);
  } catch (error) {
    return noRules("RULE_FILE_UNREADABLE", path, error instanceof Error ? error.message : String(error));
  }
}

async function readFolder(directory: string): Promise<RulesSource> {
  const files = await readRuleFiles(directory);
  return {
    digest: sha256(JSON.stringify([files.rules, files.cases, files.problems])),
    async load(now) {
      // The YAML reader is loaded for those who need it: a pack does without.
      const { activateRules } = await import("./activation.ts");
      const loaded = activateRules(files).at(now);
      return { ...loaded, objections: loaded.problems.filter(({ severity }) => severity === "error") };
    },
  };
}

/** What is wrong with rules that were left out was said when the pack was built, and it was wanted so. */
async function readPack(file: string): Promise<RulesSource> {
  const bytes = await readFile(file);
  try {
    const pack = openPack(bytes);
    return { digest: pack.digest, load: async (now) => loadPack(pack, now) };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { ...noRules(error.code, file, error.message), digest: sha256(bytes) };
  }
}

function loadPack(pack: Pack, now: number | undefined): LoadedRules {
  const { stage, nextAt } = stageAt(pack.manifest, now);
  const groups = pack.sections(stage);
  const correlations = pack.correlations(stage);
  const size = groups.reduce((sum, group) => sum + group.size, correlations.length);
  return {
    ruleSet: createRuleSet({ hash: stage.hash, size, groups, correlations }),
    problems: pack.problems(stage),
    objections: [],
    expiresAt: nextAt,
  };
}

function noRules(code: RuleProblemCode, file: string, message: string): RulesSource {
  const problems: readonly RuleProblem[] = [{ code, severity: "error", file, line: 1, column: 1, message }];
  const ruleSet = createRuleSet({ hash: sha256("[]"), size: 0, groups: [], correlations: [] });
  return {
    digest: sha256(JSON.stringify(problems)),
    load: async () => ({ ruleSet, problems, objections: problems }),
  };
}
