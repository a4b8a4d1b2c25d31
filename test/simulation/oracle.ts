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
title: Successful login
id: passed-login
logsource: {category: authentication}
detection: {selection: {action_result: SUCCESS}, condition: selection}
---
title: One user on two hosts
id: hosts
correlation: {type: value_count, rules: [failed-login], group-by: [user_id], field: server_hostname, timespan: 8s, condition: {gte: 2}}
---
title: Failure, then success
id: broken-in
correlation: {type: temporal_ordered, rules: [failed-login, passed-login], group-by: [user_id], timespan: 20s}
---
title: A host went quiet
id: quiet
correlation: {type: event_count, rules: [failed-login], group-by: [server_hostname], timespan: 15s, condition: {lt: 1}}
---
title: Sensitive file modified
id: sensitive-file
level: critical
logsource: {category: file_change}
detection: {selection: {resource: /etc/shadow}, condition: selection}
`;

interface Point {
  readonly key: string;
  readonly time: number;
  readonly data: AuditRecorded;
}

interface Plain {
  readonly id: string;
  readonly groupOf: (data: AuditRecorded) => string | null | undefined;
  readonly timespanMs: number;
  readonly isMember: (data: AuditRecorded) => boolean;
  /** The evidence at a position; empty when it does not qualify. `window` is that of the position. */
  readonly evidence: (
    window: readonly Point[],
    at: { readonly position: number; readonly points: readonly Point[] },
  ) => readonly Point[];
  /** Whether it is judged once its time has passed. */
  readonly isSettled?: true;
}

const isFailure = ({ action_result: result }: AuditRecorded) => result === "FAILURE";
const isSuccess = ({ action_result: result }: AuditRecorded) => result === "SUCCESS";
const atLeast = (count: number) => (window: readonly Point[]) => (window.length >= count ? window : []);
const byUser = ({ user_id: user }: AuditRecorded) => user;
const byHost = ({ server_hostname: host }: AuditRecorded) => host;

/** The same in plain words, for the oracle. */
const correlations: readonly Plain[] = [
  { id: "burst", groupOf: byUser, timespanMs: 10_000, isMember: isFailure, evidence: atLeast(3) },
  { id: "pair", groupOf: byHost, timespanMs: 4000, isMember: isFailure, evidence: atLeast(2) },
  {
    id: "hosts",
    groupOf: byUser,
    timespanMs: 8000,
    isMember: isFailure,
    evidence: (window) => (new Set(window.map(({ data }) => byHost(data))).size >= 2 ? window : []),
  },
  {
    id: "broken-in",
    groupOf: byUser,
    timespanMs: 20_000,
    isMember: (data) => isFailure(data) || isSuccess(data),
    evidence: (window) => {
      const failed = Math.min(...window.filter(({ data }) => isFailure(data)).map(({ time }) => time));
      return window.some(({ data, time }) => isSuccess(data) && time >= failed) ? window : [];
    },
  },
  {
    id: "quiet",
    groupOf: byHost,
    timespanMs: 15_000,
    isMember: isFailure,
    isSettled: true,
    evidence: (window, { position, points }) => {
      const isBroken = points.some(({ time }) => time > position && time <= position + 15_000);
      return isBroken ? [] : window.filter(({ time }) => time === position);
    },
  },
];

/** Correlations whose alerts may be justified by what had come when they were judged. */
export const settledRules: ReadonlySet<string> = new Set(
  correlations.flatMap(({ id, isSettled }) => (isSettled ? [id] : [])),
);

export interface ExpectedAlert {
  readonly id: string;
  /** The rule or correlation. */
  readonly rule: string;
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
  for (const correlation of correlations) alerts.push(...windowAlerts(accepted, correlation, ruleSet));
  return {
    ...summed(alerts),
    rejected: new Set(
      events.filter(({ data }) => data.event_type === "mystery").map(({ event }) => keyOf(event)),
    ),
  };
}

/** Alerts by their id, and the episodes they make. */
export function summed(alerts: readonly ExpectedAlert[]): Pick<Expected, "alerts" | "episodes"> {
  return {
    alerts: new Map(alerts.map((alert) => [alert.id, alert])),
    episodes: [...Map.groupBy(alerts, ({ group }) => group).values()].flatMap(episodesOf),
  };
}

/** The alerts of what is judged once its time has passed, by what had come until then. */
export function settledAlerts(accepted: readonly LedgerEntry[], ruleSet: RuleSet): readonly ExpectedAlert[] {
  const settled = correlations.filter(({ isSettled }) => isSettled);
  return settled.flatMap((correlation) => windowAlerts(accepted, correlation, ruleSet));
}

function singleAlert(event: Event, time: number, ruleSet: RuleSet): ExpectedAlert {
  const rule = ruleSet.rules.find(({ id }) => id === "sensitive-file");
  const id = deriveUuid("alert", "sensitive-file", rule?.revision ?? "", event.source, event.id);
  return { id, rule: "sensitive-file", group: id, evidence: [keyOf(event)], firstSeen: time, lastSeen: time };
}

function windowAlerts(
  accepted: readonly LedgerEntry[],
  plain: Plain,
  ruleSet: RuleSet,
): readonly ExpectedAlert[] {
  const revision = ruleSet.correlations.find(({ id }) => id === plain.id)?.revision ?? "";
  const members = accepted
    .map(({ event, time }) => ({ key: keyOf(event), time, data: event.data as AuditRecorded }))
    .filter(({ data }) => data.event_type === "user_login" && plain.isMember(data));
  const groups = Map.groupBy(members, ({ data }) => plain.groupOf(data) ?? "");
  return [...groups].flatMap(([group, points]) => {
    const groupKey = `${group.length}:${group}`;
    return [...bucketsOf(plain, points)].map(([bucket, evidence]) => ({
      id: deriveUuid("alert", plain.id, revision, groupKey, String(bucket)),
      rule: plain.id,
      group: `${plain.id} ${groupKey}`,
      evidence: [...evidence.keys()].toSorted(),
      firstSeen: Math.min(...evidence.values()),
      lastSeen: Math.max(...evidence.values()),
    }));
  });
}

/** The evidence of each bucket with a position that qualifies: times by the key of the event. */
function bucketsOf(
  { timespanMs, evidence }: Plain,
  points: readonly Point[],
): ReadonlyMap<number, ReadonlyMap<string, number>> {
  const buckets = new Map<number, Map<string, number>>();
  for (const { time: position } of points) {
    const window = points.filter(({ time }) => time > position - timespanMs && time <= position);
    const found = evidence(window, { position, points });
    if (found.length === 0) continue;
    const bucket = Math.floor(position / timespanMs);
    const known = buckets.get(bucket) ?? new Map<string, number>();
    for (const { key, time } of found) known.set(key, time);
    buckets.set(bucket, known);
  }
  return buckets;
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
