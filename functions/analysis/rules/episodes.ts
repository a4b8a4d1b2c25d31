import { spanOf } from "../correlation/step.ts";
import { evaluateWindow } from "../correlation/window.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { Level } from "../sigma/language/description.ts";
import type { Rule } from "../sigma/rule.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { createJudge } from "../verdict.ts";
import type { TimedEvent } from "./case-file.ts";
import { shownRuleId } from "./content.ts";

/** An alert as people see it: an episode, with the number of distinct events behind it. */
export interface Episode {
  /** The id of the rule or correlation, and the one it shows. */
  readonly id: string;
  readonly shown: string;
  readonly file: string;
  readonly title: string;
  readonly level: Level;
  readonly count: number;
  /** Event times of the first and the last event behind it, on the clock of the events given. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly group: Readonly<Record<string, string>>;
}

interface Group {
  readonly correlation: Correlation;
  readonly values: Readonly<Record<string, string>>;
  readonly members: { readonly member: string; readonly time: number }[];
}

/**
 * What a rule set makes of a list of events, by the definition of windows and episodes and with no state,
 * no ledger and no clock: the plain reference for the whole pipeline.
 */
export function episodesOf(ruleSet: RuleSet, events: readonly TimedEvent[]): readonly Episode[] {
  const judge = createJudge(ruleSet);
  const episodes: Episode[] = [];
  const groups = new Map<string, Group>();
  for (const [index, { time, data }] of events.entries()) {
    const verdict = judge(data);
    for (const rule of verdict?.matched ?? []) {
      if (rule.silent) continue;
      episodes.push({ ...described(rule), count: 1, firstSeen: time, lastSeen: time, group: {} });
    }
    for (const { correlation, group } of verdict?.hits ?? []) {
      const key = JSON.stringify([correlation.id, group.key]);
      const known = groups.get(key) ?? { correlation, values: group.values, members: [] };
      known.members.push({ member: String(index), time });
      groups.set(key, known);
    }
  }
  return [...episodes, ...[...groups.values()].flatMap(episodesOfGroup)];
}

function described(rule: Rule | Correlation) {
  const { id, file, title, level } = rule;
  return { id, shown: shownRuleId(rule), file, title, level };
}

/** Alerts whose spans of evidence touch are one episode. */
function episodesOfGroup({ correlation, values, members }: Group): readonly Episode[] {
  const spans = evaluateWindow(members, spanOf(correlation))
    .map((bucket) => ({
      from: Math.min(...bucket.members.map(({ time }) => time)),
      to: Math.max(...bucket.members.map(({ time }) => time)),
      members: new Set(bucket.members.map(({ member }) => member)),
    }))
    .toSorted((a, b) => a.from - b.from);
  const joined: typeof spans = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (!last || span.from > last.to) joined.push(span);
    else
      joined[joined.length - 1] = {
        ...last,
        to: Math.max(last.to, span.to),
        members: new Set([...last.members, ...span.members]),
      };
  }
  return joined.map((span) => ({
    ...described(correlation),
    count: span.members.size,
    firstSeen: span.from,
    lastSeen: span.to,
    group: values,
  }));
}
