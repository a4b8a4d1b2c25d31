import type { RuleProblem, RuleProblemCode } from "./language/problem.ts";
import { collect } from "./loading/collect.ts";
import { resolveCorrelations } from "./loading/correlations.ts";
import { withoutDuplicates } from "./loading/duplicates.ts";
import { applyFilters, type FilteredRule } from "./loading/filters.ts";
import { createProblems, type Problems } from "./loading/problems.ts";
import { createSilence } from "./loading/silence.ts";
import { groupByLogsource } from "./matching/matcher.ts";
import { canonicalRule } from "./revision.ts";
import type { Rule } from "./rule.ts";
import { createRuleSet, hashOf, type RuleSet } from "./rule-set.ts";

/** A rule file: its name, for messages, and its YAML. */
export interface RuleDocument {
  readonly file: string;
  readonly text: string;
}

export interface CompileOptions {
  /** Digest of a text as printable ASCII, such as SHA-256 in hexadecimal. */
  readonly hash: (text: string) => string;
  /** Epoch milliseconds: filters that have expired by then are not applied. Without it nothing expires. */
  readonly now?: number | undefined;
}

/** What became of every document: `documents` = `loaded` + `refused`. */
export interface LoadReport {
  readonly documents: number;
  /** `rules` + `correlations` + `filters` + `actions`. */
  readonly loaded: number;
  readonly rules: number;
  readonly correlations: number;
  /** Also those that have expired. */
  readonly filters: number;
  /** `action: global` and `action: reset`, which are no rules themselves. */
  readonly actions: number;
  /** The sum of `byCode`. */
  readonly refused: number;
  /** How many documents were refused, by the code of their error. */
  readonly byCode: Readonly<Partial<Record<RuleProblemCode, number>>>;
}

export interface Compiled {
  readonly ruleSet: RuleSet;
  readonly problems: readonly RuleProblem[];
  readonly report: LoadReport;
  /** Epoch milliseconds at which the next filter in force expires; compile again then. */
  readonly expiresAt?: number | undefined;
}

/** Compiles rule files. A document with an error is left out and reported; the others are unaffected. */
export function compileRuleSet(documents: readonly RuleDocument[], { hash, now }: CompileOptions): Compiled {
  const problems = createProblems();
  const collected = collect(documents, problems);
  const unique = withoutDuplicates(collected, problems);
  const filtered = applyFilters(unique.rules, unique.filters, { problems, now });
  const isSilent = createSilence(collected.references);
  const rules = filtered.rules.map(({ unused, ...rule }): Rule => {
    warnUnused({ file: rule.file, unused }, problems);
    const revision = hash(canonicalRule(rule.logsource, rule.detection));
    return { ...rule, revision, silent: isSilent(rule) };
  });
  for (const filter of filtered.loaded) warnUnused(filter, problems);
  const correlations = resolveCorrelations(unique.correlations, { rules, hash, problems, isSilent });
  const ruleSet = createRuleSet({
    hash: hashOf(rules, correlations, hash),
    size: rules.length + correlations.length,
    groups: groupByLogsource(rules),
    correlations,
  });
  const found = problems.inOrder();
  const report = {
    documents: collected.documents,
    loaded: rules.length + correlations.length + filtered.loaded.length + collected.actions,
    rules: rules.length,
    correlations: correlations.length,
    filters: filtered.loaded.length,
    actions: collected.actions,
    ...refusals(found),
  };
  return { ruleSet, problems: found, report, expiresAt: filtered.expiresAt };
}

function warnUnused({ file, unused }: Pick<FilteredRule, "file" | "unused">, problems: Problems): void {
  for (const { name, at } of unused) {
    problems.warn("RULE_IDENTIFIER_UNUSED", { file, ...at }, `The condition does not use '${name}'.`);
  }
}

function refusals(problems: readonly RuleProblem[]): Pick<LoadReport, "refused" | "byCode"> {
  const errors = problems.filter(({ severity }) => severity === "error");
  const byCode: Partial<Record<RuleProblemCode, number>> = {};
  for (const { code } of errors) byCode[code] = (byCode[code] ?? 0) + 1;
  return { refused: errors.length, byCode };
}
