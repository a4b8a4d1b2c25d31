import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import { arrayLiteral } from "../../../runtime/postgres/array.ts";

/** The predecessor's twenty-three columns and the episode's four; times RFC 3339 with one `Z`. */
export interface AlertRow {
  readonly alert_id: string;
  readonly timestamp: string;
  readonly received_at: string;
  readonly count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly status: string;
  readonly [column: string]: unknown;
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
  /** Also what is suppressed, such as the alerts of rules on trial. */
  readonly suppressed?: boolean;
}

/** A delivery of one message to one channel. */
export interface DeliveryRow {
  readonly delivery_id: string;
  readonly channel: string;
  readonly kind: string;
  readonly status: string;
  readonly attempts: number;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly last_error: string | null;
}

/** One row per episode, newest first by timestamp, then by id. */
export async function listAlerts(
  sql: postgres.Sql,
  { limit, offset, suppressed = false }: Page,
): Promise<readonly AlertRow[]> {
  const rows = await sql<RawRow[]>`
    select ${columns(sql)}
    from (
      select * from episodes where merged_into is null and (${suppressed} or status <> 'suppressed')
      order by timestamp desc, episode_id desc limit ${limit} offset ${offset}
    ) as episode
    join alerts on alerts.alert_id = episode_id and alerts.received_at = episode.received_at
    order by episode.timestamp desc, episode_id desc`;
  return rows.map(toRow);
}

/** The rows of episodes by their own ids, in any order; one that is gone has none. */
export async function readRows(sql: postgres.Sql, ids: readonly string[]): Promise<readonly AlertRow[]> {
  const rows = await sql<RawRow[]>`
    select ${columns(sql)}
    from episodes as episode join alerts on alerts.alert_id = episode_id and alerts.received_at = episode.received_at
    where episode_id = any(${arrayLiteral(ids)}::text::uuid[])`;
  return rows.map(toRow);
}

/** The episode an alert belongs to; the alert need not be the one the episode is named after. */
export async function findAlert(sql: postgres.Sql, id: string): Promise<AlertRow | undefined> {
  const [row] = await sql<RawRow[]>`
    select ${columns(sql)}
    from alerts as asked
    join episodes as episode on episode.group_id = asked.group_id and merged_into is null
      and episode.first_seen <= asked.first_seen and episode.last_seen >= asked.first_seen
    join alerts on alerts.alert_id = episode_id and alerts.received_at = episode.received_at
    where asked.alert_id = ${id}`;
  return row && toRow(row);
}

/** The deliveries of all alerts of an episode, oldest first. */
export async function listDeliveries(sql: postgres.Sql, episodeId: string): Promise<readonly DeliveryRow[]> {
  const rows = await sql<(Omit<DeliveryRow, "created_at" | "finished_at"> & Times)[]>`
    select delivery_id, channel, kind, deliveries.status, attempts, last_error, created_at, finished_at
    from episodes
    join alerts on alerts.group_id = episodes.group_id
      and alerts.first_seen between episodes.first_seen and episodes.last_seen
    join deliveries on alert_ids @> array[alerts.alert_id]
    where episode_id = ${episodeId}
    order by created_at, delivery_id`;
  return rows.map((row) => ({
    ...row,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }));
}

interface Times {
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

interface RawRow {
  readonly alert_id: string;
  readonly status: string;
  readonly count: number;
  readonly timestamp_ms: number;
  readonly received_ms: number;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

/** Times as epoch milliseconds, because a client's `Date` does not reach where `timestamptz` does. */
function columns(sql: postgres.Sql) {
  return sql`alerts.alert_id,
    round(extract(epoch from alerts.timestamp) * 1000)::float8 as timestamp_ms,
    round(extract(epoch from alerts.received_at) * 1000)::float8 as received_ms,
    episode.status, episode.count::float8 as count,
    round(extract(epoch from episode.first_seen) * 1000)::float8 as first_ms,
    round(extract(epoch from episode.last_seen) * 1000)::float8 as last_ms,
    jsonb_build_object(
      'correlation_id', alerts.correlation_id, 'alert_name', alerts.alert_name,
      'alert_type', alerts.alert_type, 'severity', alerts.severity,
      'description', alerts.description, 'source_service_name', alerts.source_service_name,
      'rule_id', alerts.rule_id, 'rule_name', alerts.rule_name,
      'actor_type', alerts.actor_type, 'actor_id', alerts.actor_id,
      'client_ip', host(alerts.client_ip), 'resource_type', alerts.resource_type,
      'resource_id', alerts.resource_id, 'server_hostname', alerts.server_hostname,
      'action_observed', alerts.action_observed, 'analysis_rule_details', alerts.analysis_rule_details,
      'triggered_by_details', alerts.triggered_by_details, 'impacted_resource_details', alerts.impacted_resource_details,
      'metadata', alerts.metadata, 'raw_event_data', alerts.raw_event_data,
      'rule_version', alerts.rule_version, 'group', alerts.group_values
    ) as columns`;
}

function toRow(row: RawRow): AlertRow {
  return {
    alert_id: row.alert_id,
    timestamp: toInstant(row.timestamp_ms),
    received_at: toInstant(row.received_ms),
    ...row.columns,
    count: row.count,
    first_seen: toInstant(row.first_ms),
    last_seen: toInstant(row.last_ms),
    status: row.status,
  };
}
