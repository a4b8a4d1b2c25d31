import { logsourceOf } from "../../../events/logsource.ts";
import { toGroup } from "../correlation/group-key.ts";
import { fieldsOf } from "../fields.ts";
import { evaluateCorrelations, type GroupBuckets, type Occurrence } from "../sigma/correlating/chain.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { Level } from "../sigma/language/description.ts";
import type { Rule } from "../sigma/rule.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
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

/**
 * What a rule set makes of a list of events, by the definition of windows and episodes and with no state,
 * no ledger and no clock: the plain reference for the whole pipeline.
 */
export function episodesOf(ruleSet: RuleSet, events: readonly TimedEvent[]): readonly Episode[] {
  const episodes: Episode[] = [];
  const occurrences: Occurrence[] = [];
  for (const [index, { time, data }] of events.entries()) {
    const logsource = logsourceOf(data);
    if (!logsource) continue;
    const fields = fieldsOf(data);
    const matched = ruleSet.match(fields, logsource);
    for (const rule of matched) {
      if (rule.silent) continue;
      episodes.push({ ...described(rule), count: 1, firstSeen: time, lastSeen: time, group: {} });
    }
    if (matched.length === 0) continue;
    occurrences.push({ member: String(index), time, matched: matched.map(({ id }) => id), fields });
  }
  const groups = evaluateCorrelations(ruleSet.correlations, occurrences);
  const raising = groups.filter(({ correlation }) => !correlation.silent);
  return [...episodes, ...raising.flatMap(episodesOfGroup)];
}

function described(rule: Rule | Correlation) {
  const { id, file, title, level } = rule;
  return { id, shown: shownRuleId(rule), file, title, level };
}

/** Alerts whose spans of evidence touch are one episode. */
function episodesOfGroup({ correlation, group, buckets }: GroupBuckets): readonly Episode[] {
  const { values } = toGroup(correlation.groupBy, group);
  const joined: { from: number; to: number; members: Set<string> }[] = [];
  for (const { firstSeen, lastSeen, members } of buckets.toSorted((a, b) => a.firstSeen - b.firstSeen)) {
    let open = joined.at(-1);
    if (!open || firstSeen > open.to) {
      open = { from: firstSeen, to: lastSeen, members: new Set() };
      joined.push(open);
    }
    open.to = Math.max(open.to, lastSeen);
    for (const { member } of members) open.members.add(member);
  }
  return joined.map(({ from, to, members }) => {
    const times = { firstSeen: from, lastSeen: to };
    return { ...described(correlation), ...times, count: members.size, group: values };
  });
}
