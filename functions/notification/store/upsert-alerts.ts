import type postgres from "postgres";

import { instant, milliseconds } from "../../../runtime/ledger/sql.ts";
import type { AlertColumns, Emission } from "../alert.ts";
import type { AlertSpan } from "./episodes.ts";
import { rowsFrom, toParameters } from "./rows.ts";

/** An alert as it is stored now. */
export type StoredSpan = AlertSpan & {
  readonly inserted: boolean;
  /** When it was first stored, which says where its row lies; epoch microseconds. */
  readonly received: number;
  /** The database's clock, epoch milliseconds. */
  readonly now: number;
};

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
  rule_set: "text",
  time_window: "jsonb",
  group_key: "text",
  group_values: "jsonb",
} as const satisfies Record<keyof AlertColumns, string>;

const names = Object.keys(columnTypes);

const rowTypes = {
  alert_id: "uuid",
  group_id: "uuid",
  timestamp: "bigint",
  first_seen: "bigint",
  last_seen: "bigint",
  correlation_id: "uuid",
  correlated_at: "bigint",
  emission_count: "bigint",
  emission_key: "text",
  ...columnTypes,
} as const;

/** Stands for no UUID where the least one is wanted. */
const lastUuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** `mergeEmissions` in SQL: whether the new row, not the stored one, decides. */
const isRepresentative = `(stored.emission_count, excluded.emission_key)
    < (excluded.emission_count, stored.emission_key)`;
const isEarlier = `(excluded.correlated_at, coalesce(excluded.correlation_id, '${lastUuid}'))
    < (stored.correlated_at, coalesce(stored.correlation_id, '${lastUuid}'))`;

const chosen = (name: string, isNew: string) =>
  `${name} = case when ${isNew} then excluded.${name} else stored.${name} end`;

const text = `
insert into alerts as stored (
  alert_id, received_at, group_id, timestamp, first_seen, last_seen, correlation_id, correlated_at,
  emission_count, emission_key, ${names.join(", ")})
select alert_id,
  coalesce((select min(received_at) from alerts as known where known.alert_id = emission.alert_id), now()),
  group_id, ${instant("timestamp")}, ${instant("first_seen")}, ${instant("last_seen")},
  correlation_id, ${instant("correlated_at")}, emission_count, emission_key, ${names.join(", ")}
from ${rowsFrom(rowTypes, "emission")}
on conflict (alert_id, received_at) do update set
  timestamp = least(stored.timestamp, excluded.timestamp),
  first_seen = least(stored.first_seen, excluded.first_seen),
  last_seen = greatest(stored.last_seen, excluded.last_seen),
  ${["correlation_id", "correlated_at"].map((name) => chosen(name, isEarlier)).join(",\n  ")},
  ${["emission_count", "emission_key", ...names].map((name) => chosen(name, isRepresentative)).join(",\n  ")}
where stored.group_id = excluded.group_id
returning alert_id as "alertId", group_id as "groupId", received_at = now() as inserted,
  ${milliseconds("timestamp")} as timestamp, ${milliseconds("first_seen")} as "firstSeen",
  ${milliseconds("last_seen")} as "lastSeen",
  round(extract(epoch from received_at) * 1000000)::float8 as received,
  floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now`;

/**
 * Merges alerts, at most one emission each, into what is stored, and answers what is stored now; alerts whose
 * id belongs to another group are left out. The caller holds the locks of the alerts' ids.
 */
export async function upsertAlerts(
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
  return await sql.unsafe<StoredSpan[]>(text, toParameters(rowTypes, rows), { prepare: true });
}
