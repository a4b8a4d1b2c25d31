import type { Event } from "../../events/event.ts";
import { deriveUuid } from "../../events/identity.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { LedgerEntry } from "../../runtime/ledger/ledger.ts";
import { keyOf } from "./database.ts";

/** The rules of the simulation. */
export const rulesText = `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Burst of one user
id: burst
correlation: {type: event_count, rules: [failed-login], group-by: [user_id], timespan: 10s, condition: {gte: 3}}
---
title: Pair on one host
id: pair
correlation: {type: event_count, rules: [failed-login], group-by: [server_hostname], timespan: 4s, condition: {gte: 2}}
---
title: Sensitive file modified
id: sensitive-file
level: critical
logsource: {category: file_change}
detection: {selection: {resource: /etc/shadow}, condition: selection}
`;

/** The same in plain words, for the oracle. */
const correlations = [
  { id: "burst", groupOf: (data: AuditRecorded) => data.user_id, timespanMs: 10_000, threshold: 3 },
  { id: "pair", groupOf: (data: AuditRecorded) => data.server_hostname, timespanMs: 4000, threshold: 2 },
] as const;

export interface ExpectedAlert {
  readonly id: string;
  readonly group: string;
  /** Keys of the events, sorted. */
  readonly evidence: readonly string[];
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface ExpectedEpisode {
  readonly id: string;
  readonly alerts: readonly string[];
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface Expected {
  readonly alerts: ReadonlyMap<string, ExpectedAlert>;
  readonly episodes: readonly ExpectedEpisode[];
  /** Keys of the events that no rule can be applied to. */
  readonly rejected: ReadonlySet<string>;
}

interface Point {
  readonly key: string;
  readonly time: number;
}

/**
 * What a set of accepted events justifies, by the definitions in docs/decisions/0003-windows.md and
 * nothing else: no code of the pipeline decides here.
 */
export function expectedOf(accepted: readonly LedgerEntry[], ruleSet: RuleSet): Expected {
  const events = accepted.map(({ event, time }) => ({ event, time, data: event.data as AuditRecorded }));
  const alerts: ExpectedAlert[] = [];
  for (const { event, time, data } of events) {
    if (data.event_type === "file_modified") alerts.push(singleAlert(event, time, ruleSet));
  }
  const failures = events.filter(
    ({ data }) => data.event_type === "user_login" && data.action_result === "FAILURE",
  );
  for (const correlation of correlations) {
    const groups = Map.groupBy(failures, ({ data }) => correlation.groupOf(data) ?? "");
    for (const [group, members] of groups) {
      const points = members.map(({ event, time }) => ({ key: keyOf(event), time }));
      const revision = ruleSet.correlations.find(({ id }) => id === correlation.id)?.revision ?? "";
      alerts.push(
        ...windowAlerts(points, { ...correlation, revision, groupKey: `${group.length}:${group}` }),
      );
    }
  }
  return {
    alerts: new Map(alerts.map((alert) => [alert.id, alert])),
    episodes: [...Map.groupBy(alerts, ({ group }) => group).values()].flatMap(episodesOf),
    rejected: new Set(
      events.filter(({ data }) => data.event_type === "mystery").map(({ event }) => keyOf(event)),
    ),
  };
}

function singleAlert(event: Event, time: number, ruleSet: RuleSet): ExpectedAlert {
  const rule = ruleSet.rules.find(({ id }) => id === "sensitive-file");
  const id = deriveUuid("alert", "sensitive-file", rule?.revision ?? "", event.source, event.id);
  return { id, group: id, evidence: [keyOf(event)], firstSeen: time, lastSeen: time };
}

function windowAlerts(
  points: readonly Point[],
  rule: {
    readonly id: string;
    readonly revision: string;
    readonly groupKey: string;
    readonly timespanMs: number;
    readonly threshold: number;
  },
): readonly ExpectedAlert[] {
  const { timespanMs, threshold } = rule;
  const windowAt = (t: number) => points.filter(({ time }) => time > t - timespanMs && time <= t);
  const evidence = new Map<number, Map<string, number>>();
  for (const { time: position } of points) {
    const window = windowAt(position);
    if (window.length < threshold) continue;
    const bucket = Math.floor(position / timespanMs);
    const known = evidence.get(bucket) ?? new Map<string, number>();
    for (const { key, time } of window) known.set(key, time);
    evidence.set(bucket, known);
  }
  return [...evidence].map(([bucket, members]) => ({
    id: deriveUuid("alert", rule.id, rule.revision, rule.groupKey, String(bucket)),
    group: `${rule.id} ${rule.groupKey}`,
    evidence: [...members.keys()].toSorted(),
    firstSeen: Math.min(...members.values()),
    lastSeen: Math.max(...members.values()),
  }));
}

/** Alerts of one group whose spans touch are one episode, named after the earliest. */
function episodesOf(alerts: readonly ExpectedAlert[]): readonly ExpectedEpisode[] {
  const sorted = alerts.toSorted((a, b) => a.firstSeen - b.firstSeen || (a.id < b.id ? -1 : 1));
  const episodes: ExpectedAlert[][] = [];
  for (const alert of sorted) {
    const last = episodes.at(-1);
    if (last && alert.firstSeen <= Math.max(...last.map(({ lastSeen }) => lastSeen))) last.push(alert);
    else episodes.push([alert]);
  }
  return episodes.map((members) => ({
    id: members[0]?.id ?? "",
    alerts: members.map(({ id }) => id),
    count: new Set(members.flatMap(({ evidence }) => evidence)).size,
    firstSeen: Math.min(...members.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...members.map(({ lastSeen }) => lastSeen)),
  }));
}
