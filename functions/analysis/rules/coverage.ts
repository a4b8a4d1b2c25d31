import type { Level } from "../sigma/language/description.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import { checkCases } from "./cases.ts";
import { compileRules } from "./compile.ts";
import { shownRuleId } from "./content.ts";
import { readRuleFiles } from "./files.ts";

/** A rule or correlation that raises alerts. */
export interface CoveringRule {
  /** The id alerts show. */
  readonly rule: string;
  readonly title: string;
  readonly level: Level;
  /** Whether it alerted in a case that passed: what only claims to cover, covers nothing. */
  readonly proven: boolean;
}

export interface TechniqueCoverage {
  /** An ATT&CK technique or sub-technique, such as `T1110.003`. */
  readonly technique: string;
  /** The tactics its rules state beside it, in the order of ATT&CK. */
  readonly tactics: readonly string[];
  readonly rules: readonly CoveringRule[];
}

export interface Coverage {
  readonly techniques: readonly TechniqueCoverage[];
  /** How many rules there are per tactic of ATT&CK, all of them, in its order. */
  readonly tactics: readonly { readonly tactic: string; readonly rules: number; readonly proven: number }[];
  /** Rules that state no technique. */
  readonly untagged: readonly CoveringRule[];
  readonly problems: readonly RuleProblem[];
}

/**
 * The tactics of MITRE ATT&CK for enterprises, as Sigma's tags write them. https://attack.mitre.org/tactics/
 * Stealth and defense impairment were one, defense evasion, before; older rules still say so.
 */
const tactics = [
  "reconnaissance",
  "resource-development",
  "initial-access",
  "execution",
  "persistence",
  "privilege-escalation",
  "stealth",
  "defense-impairment",
  "defense-evasion",
  "credential-access",
  "discovery",
  "lateral-movement",
  "collection",
  "command-and-control",
  "exfiltration",
  "impact",
] as const;

/** What the rules of a folder cover of MITRE ATT&CK, by their tags, and what of it their cases prove. */
export async function coverRules(directory: string): Promise<Coverage> {
  const { rules, cases, problems: unread } = await readRuleFiles(directory);
  const { ruleSet, problems } = compileRules(rules);
  const checked = checkCases(ruleSet, cases);
  const passed = checked.files.flatMap(({ results }) =>
    results.filter(({ failures }) => failures.length === 0),
  );
  const proven = new Set(passed.flatMap(({ alerted }) => alerted));
  const raising = [...ruleSet.rules, ...ruleSet.correlations].filter(({ silent }) => !silent);
  const covering = raising.map((rule): Tagged => {
    const shown = shownRuleId(rule);
    return {
      rule: { rule: shown, title: rule.title, level: rule.level, proven: proven.has(shown) },
      ...tagsOf(rule.tags),
    };
  });
  return {
    techniques: techniquesOf(covering),
    tactics: tactics.map((tactic) => ({ tactic, ...countOf(covering, tactic) })),
    untagged: covering.filter(({ techniques }) => techniques.length === 0).map(({ rule }) => rule),
    problems: [...unread, ...problems, ...checked.problems],
  };
}

interface Tagged {
  readonly rule: CoveringRule;
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
}

/** Sigma's tags: `attack.credential-access` (or with `_`) and `attack.t1110.003`. */
function tagsOf(tags: readonly string[]): Pick<Tagged, "tactics" | "techniques"> {
  const names = tags.map((tag) => tag.toLowerCase()).filter((tag) => tag.startsWith("attack."));
  const stated = names.map((name) => name.slice("attack.".length));
  return {
    techniques: stated.filter((name) => /^t\d{4}(?:\.\d{3})?$/.test(name)).map((name) => name.toUpperCase()),
    tactics: stated.map((name) => name.replaceAll("_", "-")).filter(isTactic),
  };
}

function isTactic(name: string): boolean {
  return tactics.some((tactic) => tactic === name);
}

function techniquesOf(covering: readonly Tagged[]): readonly TechniqueCoverage[] {
  const pairs = covering.flatMap((tagged) => tagged.techniques.map((technique) => ({ technique, tagged })));
  const byTechnique = Map.groupBy(pairs, ({ technique }) => technique);
  return [...byTechnique]
    .map(([technique, found]) => ({
      technique,
      tactics: tactics.filter((tactic) => found.some(({ tagged }) => tagged.tactics.includes(tactic))),
      rules: found.map(({ tagged }) => tagged.rule),
    }))
    .toSorted((a, b) => (a.technique < b.technique ? -1 : 1));
}

function countOf(covering: readonly Tagged[], tactic: string) {
  const found = covering.filter((tagged) => tagged.tactics.includes(tactic));
  return { rules: found.length, proven: found.filter(({ rule }) => rule.proven).length };
}
