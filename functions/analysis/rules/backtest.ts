import type { Level } from "../sigma/language/description.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import type { TimedEvent } from "./case-file.ts";
import { type Episode, episodesOf } from "./episodes.ts";

/** What one rule would have alerted. */
export interface RuleOutcome {
  /** The id alerts show. */
  readonly rule: string;
  readonly title: string;
  readonly level: Level;
  /** Alerts as people see them: episodes. */
  readonly alerts: number;
  /** Events behind them. */
  readonly events: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** What a rule set would have made of a list of events. */
export interface Outcome {
  readonly alerts: readonly Episode[];
  /** Per rule that alerted at all, the most alerts first. */
  readonly rules: readonly RuleOutcome[];
}

/** Two outcomes of the same events, compared. */
export interface Difference {
  readonly same: number;
  readonly added: readonly Episode[];
  readonly removed: readonly Episode[];
  /** The same rule, group and time, but another number of events behind it, or another level. */
  readonly changed: readonly { readonly before: Episode; readonly after: Episode }[];
}

/** What rules would have alerted, by the definition of windows and episodes; nothing is sent or stored. */
export function backtest(ruleSet: RuleSet, events: readonly TimedEvent[]): Outcome {
  const alerts = episodesOf(ruleSet, events).toSorted(inTime);
  const rules = [...Map.groupBy(alerts, ({ shown }) => shown).values()].flatMap(outcomeOf);
  return {
    alerts,
    rules: rules.toSorted((a, b) => b.alerts - a.alerts || (a.rule < b.rule ? -1 : 1)),
  };
}

function outcomeOf(alerts: readonly Episode[]): readonly RuleOutcome[] {
  const [first] = alerts;
  if (!first) return [];
  return [
    {
      rule: first.shown,
      title: first.title,
      level: first.level,
      alerts: alerts.length,
      events: alerts.reduce((sum, { count }) => sum + count, 0),
      firstSeen: first.firstSeen,
      lastSeen: alerts.reduce((latest, { lastSeen }) => Math.max(latest, lastSeen), first.lastSeen),
    },
  ];
}

/**
 * Pairs the alerts of two rule sets by the id they show, their group and overlapping time, because ids and
 * revisions of rules change with every edit.
 */
export function compare(before: Outcome, after: Outcome): Difference {
  const groups = [groupsOf(before), groupsOf(after)] as const;
  const keys = new Set([...groups[0].keys(), ...groups[1].keys()]);
  const parts = [...keys].map((key) => pair(groups[0].get(key) ?? [], groups[1].get(key) ?? []));
  return {
    same: parts.reduce((sum, { same }) => sum + same, 0),
    added: parts.flatMap(({ added }) => added).toSorted(inTime),
    removed: parts.flatMap(({ removed }) => removed).toSorted(inTime),
    changed: parts.flatMap(({ changed }) => changed),
  };
}

function inTime(a: Episode, b: Episode): number {
  return a.firstSeen - b.firstSeen;
}

function groupsOf({ alerts }: Outcome): ReadonlyMap<string, readonly Episode[]> {
  return Map.groupBy(alerts, ({ shown, group }) =>
    JSON.stringify([shown, Object.entries(group).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
  );
}

/** Both lists are in order of time, so the earlier of two that do not overlap has no partner. */
function pair(before: readonly Episode[], after: readonly Episode[]): Difference {
  const [removed, added]: [Episode[], Episode[]] = [[], []];
  const changed: { before: Episode; after: Episode }[] = [];
  let same = 0;
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [before[i], after[j]];
    if (!a || !b) break;
    if (a.lastSeen < b.firstSeen) removed.push(a);
    else if (b.lastSeen < a.firstSeen) added.push(b);
    else if (a.count === b.count && a.level === b.level) same += 1;
    else changed.push({ before: a, after: b });
    if (a.lastSeen >= b.firstSeen) j += 1;
    if (b.lastSeen >= a.firstSeen) i += 1;
  }
  return { same, added: [...added, ...after.slice(j)], removed: [...removed, ...before.slice(i)], changed };
}
