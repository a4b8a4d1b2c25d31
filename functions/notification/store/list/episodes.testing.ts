import type postgres from "postgres";

import type { AlertSummary } from "../../alert-view.ts";

/** Writes alerts as they are seen into `episodes` alone, for what reads no other table. */
export async function insertEpisodes(sql: postgres.ISql, alerts: readonly AlertSummary[]): Promise<void> {
  const rows = alerts.map(({ group, ...alert }) => ({
    ...alert,
    group_values: group,
    timestamp: Date.parse(alert.timestamp),
    received_at: Date.parse(alert.received_at),
    first_seen: Date.parse(alert.first_seen),
    last_seen: Date.parse(alert.last_seen),
    snoozed_until: alert.snoozed_until === null ? null : Date.parse(alert.snoozed_until),
  }));
  const time = (name: string) => sql`timestamptz 'epoch' + row.${sql(name)} * interval '1 millisecond'`;
  await sql`
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, snoozed_until, count,
      status, disposition, assignee, revision, alert_name, alert_type, severity, description, source_service_name,
      rule_id, rule_name, rule_version, actor_type, actor_id, client_ip, resource_type, resource_id,
      server_hostname, action_observed, correlation_id, tags, environment, group_values)
    select alert_id, ${time("received_at")}, alert_id, ${time("timestamp")}, ${time("first_seen")},
      ${time("last_seen")}, ${time("snoozed_until")}, count, status, disposition, assignee, revision, alert_name,
      alert_type, severity, description, source_service_name, rule_id, rule_name, rule_version, actor_type,
      actor_id, client_ip, resource_type, resource_id, server_hostname, action_observed, correlation_id,
      array(select jsonb_array_elements_text(tags)), environment, group_values
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as row (
      alert_id uuid, received_at bigint, timestamp bigint, first_seen bigint, last_seen bigint,
      snoozed_until bigint, count bigint, status text, disposition text, assignee text, revision bigint,
      alert_name text, alert_type text, severity text, description text, source_service_name text, rule_id text,
      rule_name text, rule_version text, actor_type text, actor_id text, client_ip inet, resource_type text,
      resource_id text, server_hostname text, action_observed text, correlation_id uuid, tags jsonb,
      environment text, group_values jsonb)`;
}
