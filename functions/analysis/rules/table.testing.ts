import type { Correlation } from "../sigma/language/correlation.ts";
import type { Rule } from "../sigma/rule.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { contentOf, shownRuleId } from "./content.ts";

const header = "| id | title | counts | level | ATT&CK | log source |\n|---|---|---|---|---|---|";

/** Everything of a rule set that raises alerts, as the Markdown table of `rules/README.md`. */
export function ruleTable(ruleSet: RuleSet): string {
  const rules = new Map(ruleSet.rules.map((rule) => [rule.id, rule]));
  const correlations = new Map(ruleSet.correlations.map((one) => [one.id, one]));
  const rowOf = (raising: Rule | Correlation) => {
    const techniques = raising.tags.flatMap((tag) => /^attack\.(t\d.*)$/.exec(tag)?.[1]?.toUpperCase() ?? []);
    const counts = "refersTo" in raising ? describeCount(raising) : "each event";
    const sources = new Set(rulesBehind(raising).map(({ logsource }) => describeLogsource(logsource)));
    const cells = [`\`${shownRuleId(raising)}\``, raising.title, counts, raising.level];
    return [...cells, techniques.join(", "), [...sources].join("; ")];
  };
  const rulesBehind = (one: Rule | Correlation): readonly Rule[] =>
    "refersTo" in one
      ? one.refersTo.flatMap(({ id }) => rulesBehind(required(rules.get(id) ?? correlations.get(id))))
      : [one];
  return [header, ...raisingOf(ruleSet).map((one) => `| ${rowOf(one).join(" | ")} |`)].join("\n");
}

/** What raises alerts, in the order of the ids people know it by. */
export function raisingOf({ rules, correlations }: RuleSet): readonly (Rule | Correlation)[] {
  const raising = [...rules, ...correlations].filter(({ silent }) => !silent);
  return raising.toSorted((a, b) => (shownRuleId(a) < shownRuleId(b) ? -1 : 1));
}

function describeCount(correlation: Correlation): string {
  const { type, condition, groupBy } = correlation;
  const { suppress } = contentOf(correlation);
  const within = durationOf(correlation.timespanMs);
  const by = groupBy.length === 0 ? "" : ` of one \`${groupBy.join("`, `")}\``;
  if (suppress) return `each event; those${by} no more than ${within} apart are one alert`;
  if (condition.kind === "seen") {
    const order = type === "temporal_ordered" ? ", in this order" : "";
    return condition.of.kind === "and" && condition.of.of.some(({ kind }) => kind === "not")
      ? `one without the other${by} within ${within}`
      : `${correlation.refersTo.length} kinds of events${by} within ${within}${order}`;
  }
  const [{ operator, operand } = { operator: "gte", operand: 1 }] = condition.comparisons;
  if (operand === 0 || (operator === "lt" && operand === 1)) return `none${by} for ${within}`;
  const what = type === "value_count" ? `different \`${correlation.valueFields.join("`, `")}\`` : "events";
  return `${operand} ${what}${by} within ${within}`;
}

function describeLogsource(logsource: Rule["logsource"]): string {
  return [logsource.product, logsource.category, logsource.service].filter(Boolean).join(" ");
}

function durationOf(milliseconds: number): string {
  const [unit, each] = (
    [
      ["h", 3_600_000],
      ["min", 60_000],
    ] as const
  ).find(([, ms]) => milliseconds % ms === 0) ?? ["s", 1000];
  return `${milliseconds / each} ${unit}`;
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a correlation refers to nothing");
  return value;
}
