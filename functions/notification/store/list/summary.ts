import type postgres from "postgres";

import { toInstant } from "../../../../events/time.ts";
import type { AlertSummary } from "../../alert-view.ts";

type Time = "timestamp" | "received_at" | "first_seen" | "last_seen" | "snoozed_until";

/** A row of `summaryColumns`: times in epoch milliseconds, because a client's `Date` does not reach where `timestamptz` does. */
export type SummaryRow = Omit<AlertSummary, Time> & {
  readonly [Name in Exclude<Time, "snoozed_until">]: number;
} & { readonly snoozed_until: number | null };

/** What an AlertSummary needs of the alias `episode`, and of no other table. */
export function summaryColumns(sql: postgres.ISql) {
  return sql`episode.episode_id as alert_id,
    round(extract(epoch from episode.timestamp) * 1000)::float8 as timestamp,
    round(extract(epoch from episode.received_at) * 1000)::float8 as received_at,
    episode.alert_name, episode.alert_type, episode.severity, episode.description,
    episode.source_service_name, episode.rule_id, episode.rule_name, episode.rule_version,
    episode.actor_type, episode.actor_id, host(episode.client_ip) as client_ip,
    episode.resource_type, episode.resource_id, episode.server_hostname, episode.action_observed,
    episode.correlation_id, to_jsonb(episode.tags) as tags, episode.environment, episode.group_values as "group",
    episode.count::float8 as count,
    round(extract(epoch from episode.first_seen) * 1000)::float8 as first_seen,
    round(extract(epoch from episode.last_seen) * 1000)::float8 as last_seen,
    episode.status, episode.disposition, episode.assignee,
    round(extract(epoch from episode.snoozed_until) * 1000)::float8 as snoozed_until,
    episode.revision::float8 as revision`;
}

/** A row of `summaryColumns` as people see it; other columns of the row are left out. */
export function toSummary(row: SummaryRow): AlertSummary {
  return {
    alert_id: row.alert_id,
    timestamp: toInstant(row.timestamp),
    received_at: toInstant(row.received_at),
    alert_name: row.alert_name,
    alert_type: row.alert_type,
    severity: row.severity,
    description: row.description,
    source_service_name: row.source_service_name,
    rule_id: row.rule_id,
    rule_name: row.rule_name,
    rule_version: row.rule_version,
    actor_type: row.actor_type,
    actor_id: row.actor_id,
    client_ip: row.client_ip,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    server_hostname: row.server_hostname,
    action_observed: row.action_observed,
    correlation_id: row.correlation_id,
    tags: row.tags,
    environment: row.environment,
    group: row.group,
    count: row.count,
    first_seen: toInstant(row.first_seen),
    last_seen: toInstant(row.last_seen),
    status: row.status,
    disposition: row.disposition,
    assignee: row.assignee,
    snoozed_until: row.snoozed_until === null ? null : toInstant(row.snoozed_until),
    revision: row.revision,
  };
}

/** The entity tag of an alert: what people changed, then which transaction wrote it last. */
export function etagOf(row: { readonly revision: number; readonly changed_by: string }): string {
  return `"${row.revision}.${row.changed_by}"`;
}
