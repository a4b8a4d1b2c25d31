import type { Logsource } from "../language/logsource.ts";
import type { Rule } from "../rule.ts";
import { compileExpression } from "./compile.ts";
import { indexByLogsource } from "./logsource.ts";

/** Rules of one log source. */
export interface RuleGroup {
  readonly logsource: Logsource;
  /** Called at most once, when the first event comes that the rules may apply to. */
  readonly rules: () => readonly Rule[];
}

/** Finds the rules that hold for an event. */
export interface Matcher {
  /** In the order of the groups, and within. One frozen empty list when nothing holds. Never throws. */
  match(fields: object, logsource: Logsource): readonly Rule[];
}

/** Rules as groups of one log source each, in the order in which each log source is first met. */
export function groupByLogsource(rules: readonly Rule[]): readonly RuleGroup[] {
  const groups = Map.groupBy(rules, ({ logsource }) => JSON.stringify(Object.entries(logsource).toSorted()));
  return [...groups.values()].flatMap((group) =>
    group[0] ? [{ logsource: group[0].logsource, rules: () => group }] : [],
  );
}

/** Compiles rules for matching. */
export function createMatcher(groups: readonly RuleGroup[]): Matcher {
  const rules = groups.flatMap((group) => group.rules());
  const compiled = rules.map((rule, position) => ({
    rule,
    position,
    logsource: rule.logsource,
    holds: compileExpression(rule.detection),
  }));
  const index = indexByLogsource(compiled);
  return {
    match: (fields, logsource) =>
      index
        .applicable(logsource)
        .flatMap((group) => group.filter(({ holds }) => holds(fields)))
        .toSorted((a, b) => a.position - b.position)
        .map(({ rule }) => rule),
  };
}
