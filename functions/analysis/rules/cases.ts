import type { Description } from "../sigma/language/description.ts";
import { RuleError, type RuleProblem } from "../sigma/language/problem.ts";
import type { RuleDocument, RuleSet } from "../sigma/rule-set.ts";
import { type Case, type ExpectedAlert, parseCases } from "./case-file.ts";
import { compileRules } from "./compile.ts";
import { shownRuleId } from "./content.ts";
import { type Episode, episodesOf } from "./episodes.ts";
import { readRuleFiles, ruleFileOf } from "./files.ts";

interface CaseResult {
  readonly title: string;
  /** Where the case stands in its file. */
  readonly line: number;
  /** What differs from the expectation, in words; empty when the case passed. */
  readonly failures: readonly string[];
  /** The ids, as alerts show them, of the rules of its file that alerted. */
  readonly alerted: readonly string[];
}

/** The cases of one rule file. */
interface CaseFileReport {
  /** The rule file, and the file of its cases, relative to the folder. */
  readonly file: string;
  readonly casesFile: string;
  readonly results: readonly CaseResult[];
}

export interface CaseReport {
  readonly files: readonly CaseFileReport[];
  readonly passed: number;
  readonly failed: number;
  /** Rules that do not load and cases that cannot be read; errors among them are failures too. */
  readonly problems: readonly RuleProblem[];
}

/**
 * Runs the cases beside the rules of a folder: `x.cases.yml` for `x.yml`. Every rule of the folder is
 * loaded; a case speaks of the alerts of the rules in its own file.
 */
export async function runCases(directory: string): Promise<CaseReport> {
  const files = await readRuleFiles(directory);
  const { ruleSet, problems } = compileRules(files.rules);
  const found: RuleProblem[] = [...files.problems, ...problems];
  const reports = files.cases.map((document) => runCaseFile(document, ruleSet, found));
  const results = reports.flatMap((report) => report.results);
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  return { files: reports, passed: results.length - failed, failed, problems: found };
}

function runCaseFile(document: RuleDocument, ruleSet: RuleSet, problems: RuleProblem[]): CaseFileReport {
  const file = ruleFileOf(document.file);
  const cases = readCases(document, problems);
  const results = cases.map((one) => ({
    title: one.title,
    line: one.line,
    ...judge(one, ruleSet, file),
  }));
  return { file, casesFile: document.file, results };
}

/** The cases of a file, or none and a problem. */
export function readCases(document: RuleDocument, problems: RuleProblem[]): readonly Case[] {
  try {
    return parseCases(document);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { code, message, at } = error;
    problems.push({ code, severity: "error", file: document.file, ...at, message });
    return [];
  }
}

function judge(one: Case, ruleSet: RuleSet, file: string): Pick<CaseResult, "failures" | "alerted"> {
  const raised = episodesOf(ruleSet, one.events).filter((episode) => episode.file === file);
  const own = [...ruleSet.rules, ...ruleSet.correlations].filter((rule) => rule.file === file);
  const unknown = one.expected.filter((alert) => !own.some((rule) => isNamed(rule, alert.rule)));
  return {
    failures:
      unknown.length > 0
        ? unknown.map(({ rule }) => `${file} has no rule '${rule}' in force`)
        : failuresOf(one, own, raised),
    alerted: [...new Set(raised.map(({ shown }) => shown))],
  };
}

function failuresOf(
  { expected }: Case,
  own: readonly Description[],
  raised: readonly Episode[],
): readonly string[] {
  const pending = [...raised];
  const failures: string[] = [];
  for (const alert of expected) {
    const ids = new Set(own.filter((rule) => isNamed(rule, alert.rule)).map(({ id }) => id));
    const index = pending.findIndex((episode) => ids.has(episode.id) && isAsExpected(episode, alert));
    if (index >= 0) pending.splice(index, 1);
    else
      failures.push(`expected ${describeExpected(alert)}, got ${raised.map(describe).join(", ") || "none"}`);
  }
  if (failures.length > 0) return failures;
  return pending.map((episode) => `unexpected ${describe(episode)}`);
}

/** Whether a case's `rule` means this rule: by the id people know it by, by its own id or by its name. */
export function isNamed(rule: Pick<Description, "id" | "name" | "custom">, name: string): boolean {
  return shownRuleId(rule) === name || rule.id === name || rule.name === name;
}

function isAsExpected(episode: Episode, { count, group = {} }: ExpectedAlert): boolean {
  const isCount = count === undefined || count === episode.count;
  return isCount && Object.entries(group).every(([field, value]) => episode.group[field] === value);
}

function describeExpected({ rule, count, group }: ExpectedAlert): string {
  return [`alert ${rule}`, count === undefined ? [] : `count ${count}`, describeGroup(group ?? {})]
    .flat()
    .join(" ");
}

function describe({ shown, count, group }: Episode): string {
  return [`alert ${shown}`, `count ${count}`, describeGroup(group)].flat().join(" ");
}

function describeGroup(group: Readonly<Record<string, string>>): string | [] {
  const parts = Object.entries(group).map(([field, value]) => `${field} ${value}`);
  return parts.length === 0 ? [] : `(${parts.join(", ")})`;
}
