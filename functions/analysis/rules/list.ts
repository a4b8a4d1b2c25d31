import type { Correlation, CorrelationType } from "../sigma/language/correlation.ts";
import type { Level, Status } from "../sigma/language/description.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import type { Rule } from "../sigma/rule.ts";
import { readCases } from "./cases.ts";
import { compileRules } from "./compile.ts";
import { shownRuleId } from "./content.ts";
import { readRuleFiles, ruleFileOf } from "./files.ts";

/** One rule or correlation as a row for people. */
export interface RuleRow {
  /** The id alerts show. */
  readonly id: string;
  readonly kind: "rule" | CorrelationType;
  readonly title: string;
  readonly level: Level;
  readonly status: Status | undefined;
  /** `product/category/service`, `-` for what is not stated; empty for a correlation. */
  readonly logsource: string;
  /** False for a rule that only serves correlations. */
  readonly raises: boolean;
  readonly tags: readonly string[];
  /** The first twelve characters of the revision. */
  readonly revision: string;
  /** Cases of its file. */
  readonly cases: number;
  readonly file: string;
  readonly line: number;
}

export interface RuleList {
  readonly rules: readonly RuleRow[];
  readonly problems: readonly RuleProblem[];
}

/** What a folder of rules holds, in the order of files and lines. */
export async function listRules(directory: string): Promise<RuleList> {
  const files = await readRuleFiles(directory);
  const { ruleSet, problems } = compileRules(files.rules);
  const found: RuleProblem[] = [...files.problems, ...problems];
  const cases = new Map(
    files.cases.map((document) => [ruleFileOf(document.file), readCases(document, found).length]),
  );
  const written = ruleSet.correlations.filter(({ shows }) => shows === undefined);
  // What suppresses repetitions stands in for a rule, which is silent only for that reason.
  const replaced = new Set(
    ruleSet.correlations
      .filter(({ shows }) => shows !== undefined)
      .flatMap(({ refersTo }) => refersTo.map(({ id }) => id)),
  );
  const raises = ({ id, silent }: Rule | Correlation) => !silent || replaced.has(id);
  const rows = [
    ...ruleSet.rules.map((rule) => ({
      ...common(rule, cases),
      kind: "rule" as const,
      logsource: logsourceText(rule),
      raises: raises(rule),
    })),
    ...written.map((one) => ({
      ...common(one, cases),
      kind: one.type,
      logsource: "",
      raises: raises(one),
    })),
  ];
  return {
    rules: rows.toSorted((a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line),
    problems: found,
  };
}

function common(rule: Rule | Correlation, cases: ReadonlyMap<string, number>) {
  const { title, level, status, tags, file, line } = rule;
  const revision = rule.revision.slice(0, 12);
  return {
    id: shownRuleId(rule),
    title,
    level,
    status,
    tags,
    revision,
    cases: cases.get(file) ?? 0,
    file,
    line,
  };
}

function logsourceText({ logsource }: Rule): string {
  const { product = "-", category = "-", service = "-" } = logsource;
  return `${product}/${category}/${service}`;
}
