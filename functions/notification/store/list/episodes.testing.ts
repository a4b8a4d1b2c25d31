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

/** Makes so many plain alerts with their episodes, a second apart, every second one of them grave. */
export async function insertPlain(sql: postgres.Sql, count: number): Promise<void> {
  const columns = sql`alert_name, alert_type, severity, description, rule_id, rule_name, action_observed`;
  const values = sql`'Alert', 'SECURITY', case n % 2 when 0 then 'HIGH' else 'LOW' end, 'Plain.', 'rule-' || n % 7, 'Rule', 'x'`;
  const numbers = sql`(select n, md5(n::text)::uuid as id, timestamptz '2026-11-01 00:00:00Z' + n * interval '1 second' as at
    from generate_series(1, ${count}::int) as n) as numbered`;
  await sql`
    insert into alerts (alert_id, timestamp, received_at, group_id, first_seen, last_seen, emission_count, emission_key,
      correlated_at, analysis_rule_details, triggered_by_details, impacted_resource_details, metadata,
      raw_event_data, ${columns})
    select id, at, at, id, at, at, 1, n::text, at, '{}', '{}', '{}', '{}', '{"event_type": "user_login"}', ${values}
    from ${numbers}`;
  await sql`
    insert into episodes (episode_id, timestamp, received_at, group_id, first_seen, last_seen, count, ${columns})
    select id, at, at, id, at, at, n % 5, ${values} from ${numbers}`;
  await sql`analyze episodes`;
}
