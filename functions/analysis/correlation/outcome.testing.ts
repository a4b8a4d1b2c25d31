import { alertRaised } from "../../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Event } from "../../../events/event.ts";
import type { WindowMember } from "../../../runtime/state/state.ts";
import { bucketAlertId } from "../alerts.ts";
import { evaluateCorrelations, type Occurrence } from "../sigma/correlating/chain.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { judgingOf } from "../verdict.ts";
import { toGroup } from "./group-key.ts";
import { toMember } from "./step.ts";

/** What was raised: the evidence of each alert, and the episodes of each rule and group. */
export interface Outcome {
  readonly alerts: Readonly<Record<string, readonly string[]>>;
  readonly episodes: readonly string[];
  /** How many alerts each correlation raised. */
  readonly alertsOf: Readonly<Record<string, number>>;
}

/**
 * The oracle: what sets of events justify, whatever way they came; more than one where something was judged
 * before all had come.
 */
export function justified(
  sets: readonly (readonly Event<AuditRecorded>[])[],
  ruleSet: RuleSet,
  isWanted: (correlation: Correlation) => boolean = () => true,
): Outcome {
  const told = sets
    .flatMap((events) => evaluateCorrelations(ruleSet.correlations, occurrencesOf(events, ruleSet)))
    .filter(({ correlation }) => !correlation.silent && isWanted(correlation))
    .flatMap(({ correlation, group: values, buckets }) => {
      const group = toGroup(correlation.groupBy, values);
      return buckets.map((bucket) => ({
        id: bucketAlertId({ correlation, group }, bucket.bucket),
        rule: correlation.id,
        group: `${correlation.id} ${group.key}`,
        evidence: bucket.members.map(({ member, time }) => ({ member, time })),
      }));
    });
  return summarise(told);
}

function occurrencesOf(events: readonly Event<AuditRecorded>[], ruleSet: RuleSet): readonly Occurrence[] {
  const { judge } = judgingOf(ruleSet);
  return events.map((event): Occurrence => {
    const { matched = [], fields = {} } = judge(event) ?? {};
    const time = Date.parse(event.time ?? "");
    return { member: toMember(event), time, matched: matched.map(({ id }) => id), fields };
  });
}

/** What of an expected outcome another one misses. */
export function covers({ alerts }: Outcome, expected: Outcome): readonly string[] {
  return Object.entries(expected.alerts).flatMap(([id, evidence]) =>
    evidence.filter((member) => !alerts[id]?.includes(member)).map((member) => `${id} ${member}`),
  );
}

/** What alert events say, however many there are of each. */
export function outcomeOf(raised: readonly Event[]): Outcome {
  return summarise(
    raised
      .map(({ data }) => alertRaised.data.parse(data))
      .map(({ alert_id: id, analysis_rule: rule, group_key: group, evidence = [] }) => ({
        id,
        rule: rule.rule_id,
        group: `${rule.rule_id} ${group}`,
        evidence: evidence.map(({ time, ...event }) => ({ member: toMember(event), time: Date.parse(time) })),
      })),
  );
}

interface Told {
  readonly id: string;
  readonly rule: string;
  readonly group: string;
  readonly evidence: readonly WindowMember[];
}

function summarise(told: readonly Told[]): Outcome {
  const alerts = new Map<string, { rule: string; group: string; evidence: Map<string, number> }>();
  for (const { id, rule, group, evidence } of told) {
    const alert = alerts.get(id) ?? { rule, group, evidence: new Map() };
    for (const { member, time } of evidence) alert.evidence.set(member, time);
    alerts.set(id, alert);
  }
  return {
    alerts: Object.fromEntries(
      [...alerts].map(([id, { evidence }]) => [id, [...evidence.keys()].toSorted()]),
    ),
    episodes: episodesOf([...alerts].map(([id, alert]) => ({ id, ...alert }))),
    alertsOf: countsOf([...alerts.values()].map(({ rule }) => rule)),
  };
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
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
