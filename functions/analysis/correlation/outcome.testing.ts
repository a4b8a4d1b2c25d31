import { alertRaised } from "../../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Event } from "../../../events/event.ts";
import type { WindowMember } from "../../../runtime/state/state.ts";
import { bucketAlertId } from "../alerts.ts";
import { evaluateCorrelations, type Occurrence } from "../sigma/correlating/chain.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { createJudge } from "../verdict.ts";
import { toGroup } from "./group-key.ts";
import { toMember } from "./step.ts";

/** What was raised: the evidence of each alert, and the episodes of each rule and group. */
export interface Outcome {
  readonly alerts: Readonly<Record<string, readonly string[]>>;
  readonly episodes: readonly string[];
}

/** The oracle: what the set of all events justifies, whatever way it came. */
export function justified(events: readonly Event<AuditRecorded>[], ruleSet: RuleSet): Outcome {
  const judge = createJudge(ruleSet);
  const occurrences = events.map((event): Occurrence => {
    const verdict = judge(event);
    return {
      member: toMember(event),
      time: Date.parse(event.time ?? ""),
      matched: (verdict?.matched ?? []).map(({ id }) => id),
      fields: verdict?.fields ?? {},
    };
  });
  const groups = evaluateCorrelations(ruleSet.correlations, occurrences);
  const alerts = groups
    .filter(({ correlation }) => !correlation.silent)
    .flatMap(({ correlation, group: values, buckets }) => {
      const group = toGroup(correlation.groupBy, values);
      return buckets.map((bucket) => ({
        id: bucketAlertId({ correlation, group }, bucket.bucket),
        group: `${correlation.id} ${group.key}`,
        evidence: bucket.members.map(({ member, time }) => ({ member, time })),
      }));
    });
  return summarise(alerts);
}

/** What alert events say, however many there are of each. */
export function outcomeOf(raised: readonly Event[]): Outcome {
  return summarise(
    raised
      .map(({ data }) => alertRaised.data.parse(data))
      .map(({ alert_id: id, analysis_rule: rule, group_key: group, evidence = [] }) => ({
        id,
        group: `${rule.rule_id} ${group}`,
        evidence: evidence.map(({ time, ...event }) => ({ member: toMember(event), time: Date.parse(time) })),
      })),
  );
}

interface Told {
  readonly id: string;
  readonly group: string;
  readonly evidence: readonly WindowMember[];
}

function summarise(told: readonly Told[]): Outcome {
  const alerts = new Map<string, { group: string; evidence: Map<string, number> }>();
  for (const { id, group, evidence } of told) {
    const alert = alerts.get(id) ?? { group, evidence: new Map() };
    for (const { member, time } of evidence) alert.evidence.set(member, time);
    alerts.set(id, alert);
  }
  return {
    alerts: Object.fromEntries(
      [...alerts].map(([id, { evidence }]) => [id, [...evidence.keys()].toSorted()]),
    ),
    episodes: episodesOf([...alerts].map(([id, alert]) => ({ id, ...alert }))),
  };
}

/** Connected components of the alerts of one rule and group whose spans touch. */
function episodesOf(
  alerts: readonly { id: string; group: string; evidence: ReadonlyMap<string, number> }[],
): readonly string[] {
  const spans = alerts.map(({ id, group, evidence }) => ({
    ids: [id],
    group,
    first: Math.min(...evidence.values()),
    last: Math.max(...evidence.values()),
  }));
  const episodes: typeof spans = [];
  for (const span of spans.toSorted((a, b) =>
    a.group === b.group ? a.first - b.first : a.group < b.group ? -1 : 1,
  )) {
    const open = episodes.at(-1);
    if (open?.group === span.group && span.first <= open.last) {
      open.ids.push(...span.ids);
      open.last = Math.max(open.last, span.last);
    } else episodes.push(span);
  }
  return episodes
    .map(({ group, ids, first, last }) => `${group} ${first}-${last} ${ids.toSorted().join()}`)
    .toSorted();
}
