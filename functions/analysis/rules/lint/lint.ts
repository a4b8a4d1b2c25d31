import type { Correlation } from "../../sigma/language/correlation.ts";
import type { Description } from "../../sigma/language/description.ts";
import { entryOf, type MapNode, parseDocuments } from "../../sigma/language/document.ts";
import { RuleError, type RuleProblem } from "../../sigma/language/problem.ts";
import type { RuleDocument } from "../../sigma/compile.ts";
import type { Rule } from "../../sigma/rule.ts";
import type { RuleSet } from "../../sigma/rule-set.ts";
import { isNamed, readCases } from "../cases.ts";
import { compileRules } from "../compile.ts";
import { readRuleFiles, ruleFileOf, type RuleFiles } from "../files.ts";
import { replayingChains } from "./chains.ts";
import { uniqueGroups, unknownFields } from "./fields.ts";
import { unownedFilters } from "./filters.ts";
import { isImpossible } from "./impossible.ts";
import { regexesWithoutLiteral } from "./regexes.ts";
import { warning } from "./warning.ts";

/**
 * Everything a folder of rules can be criticised for: what keeps rules out (errors), and what makes them
 * hard to trust (warnings): no level, no cases, a title or a detection used twice, what cannot hold, fields
 * that events do not have, groups of one event each, regular expressions that are tried on everything, filters
 * that have expired by `now` (epoch milliseconds; without it none has).
 */
export async function lintRules(directory: string, now?: number): Promise<readonly RuleProblem[]> {
  const files = await readRuleFiles(directory);
  const { ruleSet, problems } = compileRules(files.rules, now);
  const all = [
    ...files.problems,
    ...problems,
    ...files.rules.flatMap((document) => {
      const documents = documentsOf(document);
      return [...missingLevels(document.file, documents), ...unownedFilters(document.file, documents)];
    }),
    ...duplicateTitles(writtenRules(ruleSet)),
    ...missingCases(ruleSet, files),
    ...impossibleRules(ruleSet),
    ...duplicates(ruleSet),
    ...unknownFields(ruleSet),
    ...uniqueGroups(ruleSet),
    ...replayingChains(ruleSet),
    ...regexesWithoutLiteral(ruleSet),
  ];
  return all.toSorted(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

function describedRules({ rules, correlations }: RuleSet): readonly (Rule | Correlation)[] {
  return [...rules, ...correlations];
}

/** What documents of the folder describe: not what merely stands in for one of them. */
function writtenRules(ruleSet: RuleSet): readonly Description[] {
  return describedRules(ruleSet).filter(({ shows }) => shows === undefined);
}

function documentsOf({ text }: RuleDocument): readonly MapNode[] {
  return parseDocuments(text).filter(
    (node): node is MapNode => !(node instanceof RuleError) && node.kind === "map",
  );
}

/** What detects something needs a level. */
function missingLevels(file: string, documents: readonly MapNode[]): readonly RuleProblem[] {
  return documents
    .filter((document) => !entryOf(document, "level"))
    .filter((document) => ["detection", "correlation"].some((key) => entryOf(document, key)))
    .map(({ at }) =>
      warning("RULE_LEVEL_MISSING", { file, ...at }, "No 'level' is given; 'medium' is assumed."),
    );
}

function duplicateTitles(rules: readonly Description[]): readonly RuleProblem[] {
  const byTitle = Map.groupBy(rules, ({ title }) => title.trim().toLowerCase());
  return [...byTitle.values()].flatMap(([first, ...others]) =>
    others.map((rule) => {
      const place = `${first?.file ?? ""}:${first?.line ?? 0}`;
      return warning("RULE_TITLE_DUPLICATE", rule, `The title '${rule.title}' is used at ${place} too.`);
    }),
  );
}

/** Whatever raises alerts needs a case that expects one, and its file a case that expects none. */
function missingCases(ruleSet: RuleSet, files: RuleFiles): readonly RuleProblem[] {
  const found: RuleProblem[] = [];
  const cases = new Map(
    files.cases.map((document) => [ruleFileOf(document.file), readCases(document, found)]),
  );
  const raising = describedRules(ruleSet).filter(({ silent }) => !silent);
  for (const rule of raising) {
    const own = cases.get(rule.file) ?? [];
    const expects = own.some(({ expected }) => expected.some((alert) => isNamed(rule, alert.rule)));
    if (!expects)
      found.push(warning("RULE_CASES_MISSING", rule, `No case expects an alert of '${rule.title}'.`));
    else if (own.every(({ expected }) => expected.length > 0)) {
      found.push(warning("RULE_CASES_MISSING", rule, `No case of '${rule.title}' expects silence.`));
    }
  }
  return found;
}

function impossibleRules({ rules }: RuleSet): readonly RuleProblem[] {
  return rules
    .filter(({ detection }) => isImpossible(detection))
    .map((rule) =>
      warning("RULE_NEVER_MATCHES", rule, `The detection of '${rule.title}' contradicts itself.`),
    );
}

/** Rules of one revision match the same events: one of them is enough. */
function duplicates({ rules }: RuleSet): readonly RuleProblem[] {
  return [...Map.groupBy(rules, ({ revision }) => revision).values()].flatMap(([first, ...others]) =>
    others.map((rule) => {
      const place = `'${first?.title ?? ""}' (${first?.file ?? ""}:${first?.line ?? 0})`;
      return warning("RULE_DUPLICATE", rule, `'${rule.title}' matches the same events as ${place}.`);
    }),
  );
}
