import type { Description } from "../sigma/language/description.ts";
import { RuleError, type RuleProblem } from "../sigma/language/problem.ts";
import type { RuleDocument } from "../sigma/compile.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type Case, type ExpectedAlert, parseCases, type TimedEvent } from "./case-file.ts";
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
  /** The ids of the rules and correlations of its file that did not do as expected. */
  readonly blamed: readonly string[];
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
  const checked = checkCases(ruleSet, files.cases);
  const results = checked.files.flatMap((report) => report.results);
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const all = [...found, ...checked.problems];
  return { files: checked.files, passed: results.length - failed, failed, problems: all };
}

/** Runs files of cases against a rule set. */
export function checkCases(
  ruleSet: RuleSet,
  documents: readonly RuleDocument[],
): Pick<CaseReport, "files" | "problems"> {
  const problems: RuleProblem[] = [];
  const files = documents.map((document) => runCaseFile(document, ruleSet, problems));
  return { files, problems };
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

/** The events of all cases of a folder, as far as they can be read. */
export async function readCaseEvents(directory: string): Promise<readonly TimedEvent[]> {
  const { cases } = await readRuleFiles(directory);
  return cases.flatMap((document) => readCases(document, []).flatMap(({ events }) => events));
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

type Verdict = Pick<CaseResult, "failures" | "alerted" | "blamed">;

function judge(one: Case, ruleSet: RuleSet, file: string): Verdict {
  const raised = episodesOf(ruleSet, one.events).filter((episode) => episode.file === file);
  const own = [...ruleSet.rules, ...ruleSet.correlations].filter((rule) => rule.file === file);
  const alerted = [...new Set(raised.map(({ shown }) => shown))];
  const unknown = one.expected.filter((alert) => idsOf(own, alert).length === 0);
  if (unknown.length > 0) {
    const failures = unknown.map(({ rule }) => `${file} has no rule '${rule}' in force`);
    return { failures, alerted, blamed: [] };
  }
  return { alerted, ...differences(one, own, raised) };
}

function differences(
  { expected }: Case,
  own: readonly Description[],
  raised: readonly Episode[],
): Pick<Verdict, "failures" | "blamed"> {
  const pending = [...raised];
  const missing = expected.filter((alert) => {
    const ids = idsOf(own, alert);
    const index = pending.findIndex((episode) => ids.includes(episode.id) && isAsExpected(episode, alert));
    if (index >= 0) pending.splice(index, 1);
    return index < 0;
  });
  const got = raised.map(describe).join(", ") || "none";
  return {
    failures:
      missing.length > 0
        ? missing.map((alert) => `expected ${describeExpected(alert)}, got ${got}`)
        : pending.map((episode) => `unexpected ${describe(episode)}`),
    blamed: [...missing.flatMap((alert) => idsOf(own, alert)), ...pending.map(({ id }) => id)],
  };
}

function idsOf(own: readonly Description[], { rule: name }: ExpectedAlert): readonly string[] {
  return own.filter((rule) => isNamed(rule, name)).map(({ id }) => id);
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
