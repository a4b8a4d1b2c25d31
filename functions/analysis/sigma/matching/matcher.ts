import type { EventLogsource, Logsource } from "../language/logsource.ts";
import type { Rule } from "../rule.ts";
import { byName, createRouter } from "./logsource.ts";
import { createRuleIndex } from "./rule-index.ts";

/** Rules of one log source. */
export interface RuleGroup {
  readonly logsource: Logsource;
  /** Called at most once, when the first event comes that the rules may apply to. */
  readonly rules: () => readonly Rule[];
}

/** Finds the rules that hold for an event. */
export interface Matcher {
  /**
   * The rules in the order of their groups, and within; one frozen empty list when none holds. A rule
   * applies when the event's log source asserts every attribute the rule's states. Never throws.
   */
  match(fields: object, logsource: EventLogsource): readonly Rule[];
}

/** Rules as groups of one log source each, in the order in which each log source is first met. */
export function groupByLogsource(rules: readonly Rule[]): readonly RuleGroup[] {
  const groups = Map.groupBy(rules, ({ logsource }) =>
    JSON.stringify(Object.entries(logsource).toSorted(byName)),
  );
  return [...groups.values()].flatMap((group) =>
    group[0] ? [{ logsource: group[0].logsource, rules: () => group }] : [],
  );
}

const nothing: readonly Rule[] = Object.freeze([]);

/** Indexes rules for matching: one index for each combination of groups that apply together, when its first event comes. */
export function createMatcher(groups: readonly RuleGroup[]): Matcher {
  const read: (readonly Rule[] | undefined)[] = [];
  const rulesOf = (group: number) => (read[group] ??= groups[group]?.rules() ?? []);
  const router = createRouter(
    groups.map(({ logsource }) => logsource),
    (applicable) => createRuleIndex(applicable.flatMap(rulesOf)),
  );
  return { match: (fields, logsource) => router.route(logsource)?.match(fields) ?? nothing };
}
