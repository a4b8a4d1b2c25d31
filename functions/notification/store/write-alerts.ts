import type postgres from "postgres";

import { eventKey } from "../../../events/identity.ts";
import { type AlertColumns, type Emission, mergeEmissions } from "../alert.ts";
import { joinAlerts, type AlertSpan } from "./episodes.ts";
import { toStoredJson } from "./stored-text.ts";
import type { Begun } from "./write-deliveries.ts";
import { readTouchedEpisodes, writeEpisodes } from "./write-episodes.ts";

/** What became of one emission: its alert is new, was known, or its id belongs to another group. */
export type Outcome = "stored" | "merged" | "conflict";

export interface Written {
  /** Per emission, in order. */
  readonly outcomes: readonly Outcome[];
  /** Episodes people are to be told of that began in this transaction, with the alert that began them. */
  readonly begun: readonly Begun[];
}

/**
 * Merges emissions into alerts, evidence and episodes, in the given transaction, in a constant number of
 * statements.
 *
 * The groups are locked first, in one order everywhere: whoever holds a group's lock sees everything
 * committed about it (READ COMMITTED) and is the only one to change it, so joining spans in memory is
 * exact under concurrency.
 */
export async function writeAlerts(
  sql: postgres.TransactionSql,
  emissions: readonly Emission[],
): Promise<Written> {
  await lockGroups(sql, emissions);
  const alerts = toAlerts(emissions);
  const spans = await upsertAlerts(sql, alerts);
  const owned = new Map(spans.map((span) => [span.alertId, span]));
  const isOwned = ({ alertId, groupId }: Emission) => owned.get(alertId)?.groupId === groupId;
  const added = await insertEvidence(sql, emissions.filter(isOwned));
  const known = await readTouchedEpisodes(sql, spans);
  const joins = joinAlerts(spans, known, added);
  const shadows = new Set(alerts.filter(({ shadow }) => shadow).map(({ groupId }) => groupId));
  await writeEpisodes(sql, joins, { known, shadows });
  const byId = new Map(alerts.filter(isOwned).map((alert) => [alert.alertId, alert]));
  return {
    outcomes: emissions.map((emission) => {
      if (!isOwned(emission)) return "conflict";
      return owned.get(emission.alertId)?.inserted ? "stored" : "merged";
    }),
    begun: joins.flatMap(({ episode, absorbed }) => {
      const alert = absorbed.length === 0 ? byId.get(episode.id) : undefined;
      return alert && !alert.shadow ? [{ episode, alert }] : [];
    }),
  };
}

/** Held until the transaction ends. A hash shared by two groups only makes them wait for each other. */
async function lockGroups(sql: postgres.TransactionSql, emissions: readonly Emission[]): Promise<void> {
  const keys = new Set(emissions.map(({ groupId }) => lockKeyOf(groupId)));
  const sorted = [...keys].toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  await sql`select pg_advisory_xact_lock(key) from unnest(${`{${sorted.join(",")}}`}::bigint[]) as key`;
}

function lockKeyOf(groupId: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${groupId.replaceAll("-", "").slice(0, 16)}`));
}

/** One row per (alert, group), because a statement may touch a row only once; sorted, to lock in one order. */
function toAlerts(emissions: readonly Emission[]): readonly Emission[] {
  const merged = new Map<string, Emission>();
  for (const emission of emissions) {
    const known = merged.get(emission.alertId);
    if (known && known.groupId !== emission.groupId) continue;
    merged.set(emission.alertId, known ? mergeEmissions(known, emission) : emission);
  }
  return [...merged.values()].toSorted((a, b) => (a.alertId < b.alertId ? -1 : 1));
}

/** The columns an emission carries, and their types. Only these names are put into the statement's text. */
const columnTypes = {
  alert_name: "text",
  alert_type: "text",
  severity: "text",
  description: "text",
  source_service_name: "text",
  rule_id: "text",
  rule_name: "text",
  actor_type: "text",
  actor_id: "text",
  client_ip: "inet",
  resource_type: "text",
  resource_id: "text",
  server_hostname: "text",
  action_observed: "text",
  analysis_rule_details: "jsonb",
  triggered_by_details: "jsonb",
  impacted_resource_details: "jsonb",
  metadata: "jsonb",
  raw_event_data: "jsonb",
  rule_version: "text",
  group_key: "text",
  group_values: "jsonb",
} as const satisfies Record<keyof AlertColumns, string>;

const names = Object.keys(columnTypes);

/** Stands for no UUID where the least one is wanted. */
const lastUuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Milliseconds to `timestamptz`, exact, also for years PostgreSQL's text input does not know (0000). */
const instant = (column: string) => `timestamptz 'epoch' + ${column} * interval '1 millisecond'`;
const milliseconds = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/** `mergeEmissions` in SQL: whether the new row, not the stored one, decides. */
const isRepresentative = `(stored.emission_count, excluded.emission_key)
    < (excluded.emission_count, stored.emission_key)`;
const isEarlier = `(excluded.correlated_at, coalesce(excluded.correlation_id, '${lastUuid}'))
    < (stored.correlated_at, coalesce(stored.correlation_id, '${lastUuid}'))`;
const chosen = (name: string, isNew: string) =>
  `${name} = case when ${isNew} then excluded.${name} else stored.${name} end`;

const upsertText = `
insert into alerts as stored (
  alert_id, received_at, group_id, timestamp, first_seen, last_seen, correlation_id, correlated_at,
  emission_count, emission_key, ${names.join(", ")})
select alert_id,
  coalesce((select min(received_at) from alerts as known where known.alert_id = emission.alert_id), now()),
  group_id, ${instant("timestamp")}, ${instant("first_seen")}, ${instant("last_seen")},
  correlation_id, ${instant("correlated_at")}, emission_count, emission_key, ${names.join(", ")}
from jsonb_to_recordset($1::text::jsonb) as emission (
  alert_id uuid, group_id uuid, timestamp bigint, first_seen bigint, last_seen bigint,
  correlation_id uuid, correlated_at bigint, emission_count bigint, emission_key text,
  ${Object.entries(columnTypes)
    .map(([name, type]) => `${name} ${type}`)
    .join(", ")})
on conflict (alert_id, received_at) do update set
  timestamp = least(stored.timestamp, excluded.timestamp),
  first_seen = least(stored.first_seen, excluded.first_seen),
  last_seen = greatest(stored.last_seen, excluded.last_seen),
  ${["correlation_id", "correlated_at"].map((name) => chosen(name, isEarlier)).join(",\n  ")},
  ${["emission_count", "emission_key", ...names].map((name) => chosen(name, isRepresentative)).join(",\n  ")}
where stored.group_id = excluded.group_id
returning alert_id as "alertId", group_id as "groupId", received_at = now() as inserted,
  ${milliseconds("timestamp")} as timestamp, ${milliseconds("first_seen")} as "firstSeen",
  ${milliseconds("last_seen")} as "lastSeen"`;

type StoredSpan = AlertSpan & { readonly inserted: boolean };

/** Answers what is stored now; alerts whose id belongs to another group are left out. */
async function upsertAlerts(
  sql: postgres.TransactionSql,
  alerts: readonly Emission[],
): Promise<readonly StoredSpan[]> {
  const rows = alerts.map((alert) => ({
    alert_id: alert.alertId,
    group_id: alert.groupId,
    timestamp: alert.timestamp,
    first_seen: alert.firstSeen,
    last_seen: alert.lastSeen,
    correlation_id: alert.correlation.id,
    correlated_at: alert.correlation.time,
    emission_count: alert.count,
    emission_key: alert.key,
    ...alert.columns,
  }));
  return await sql.unsafe<StoredSpan[]>(upsertText, [toStoredJson(rows)], { prepare: true });
}

/** Answers the points stored for the first time. */
async function insertEvidence(
  sql: postgres.TransactionSql,
  emissions: readonly Emission[],
): Promise<readonly { readonly groupId: string; readonly time: number }[]> {
  const rows = emissions.flatMap(({ groupId, evidence }) =>
    evidence.map((point) => ({ group_id: groupId, event_key: eventKey(point).toString("hex"), ...point })),
  );
  return await sql<{ groupId: string; time: number }[]>`
    insert into alert_evidence (group_id, event_key, source, id, time)
    select distinct on (group_id, event_key) group_id, decode(event_key, 'hex'), source, id,
      timestamptz 'epoch' + time * interval '1 millisecond'
    from jsonb_to_recordset(${toStoredJson(rows)}::text::jsonb) as point (
      group_id uuid, event_key text, source text, id text, time bigint)
    where not exists (
      select from alert_evidence as known
      where known.group_id = point.group_id and known.event_key = decode(point.event_key, 'hex'))
    returning group_id as "groupId", round(extract(epoch from time) * 1000)::float8 as time`;
}
