import type { Correlation } from "./language/correlation.ts";
import type { EventLogsource } from "./language/logsource.ts";
import { createMatcher, type RuleGroup } from "./matching/matcher.ts";
import type { Rule } from "./rule.ts";

/** The rules in force. Immutable; a reload makes a new one. */
export interface RuleSet {
  /** Hash over the ids and revisions of everything in force. */
  readonly hash: string;
  /** How many rules and correlations are in force. */
  readonly size: number;
  /** Computed on first use: asking builds all rules of a lazy set. */
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
  /**
   * The rules that hold for an event, by log source and then in the order they were loaded, also those
   * that only serve correlations. A rule applies when the event's log source asserts every attribute the
   * rule's states; an event without a log source therefore matches nothing. Never throws.
   */
  match(fields: object, logsource: EventLogsource): readonly Rule[];
}

/** What a rule set is put together from, for instance from a pack. */
export interface RuleSetParts extends Pick<RuleSet, "hash" | "size" | "correlations"> {
  readonly groups: readonly RuleGroup[];
}

/** A rule set of lazy groups; `rules()` of each is called at most once. */
export function createRuleSet({ hash, size, groups, correlations }: RuleSetParts): RuleSet {
  const once = groups.map(({ logsource, rules }) => ({ logsource, rules: onFirstUse(rules) }));
  const rules = onFirstUse(() => once.flatMap((group) => group.rules()));
  const matcher = createMatcher(once);
  return {
    hash,
    size,
    correlations,
    match: (fields, logsource) => matcher.match(fields, logsource),
    get rules() {
      return rules();
    },
  };
}

function onFirstUse<Value>(compute: () => Value): () => Value {
  let computed: { readonly value: Value } | undefined;
  return () => {
    computed ??= { value: compute() };
    return computed.value;
  };
}

/** The hash of a rule set: of what is in force, whatever its order; `hash` digests a text. */
export function hashOf(
  rules: readonly Rule[],
  correlations: readonly Correlation[],
  hash: (text: string) => string,
): string {
  const entries = [
    ...rules.map(({ id, revision, silent }) => ["rule", id, revision, silent]),
    ...correlations.map(({ id, revision, silent }) => ["correlation", id, revision, silent]),
  ];
  return hash(JSON.stringify(entries.map((entry) => JSON.stringify(entry)).toSorted()));
}
