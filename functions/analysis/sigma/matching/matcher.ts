import type { Logsource } from "../language/logsource.ts";
import type { Rule } from "../rule.ts";
import { compileExpression } from "./compile.ts";
import { indexByLogsource } from "./logsource.ts";

/** Finds the rules that hold for an event. */
export interface Matcher {
  /** In the order of `rules`. Never throws. */
  match(fields: object, logsource: Logsource): readonly Rule[];
}

/** Compiles rules for matching. */
export function createMatcher(rules: readonly Rule[]): Matcher {
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
