import type postgres from "postgres";

/** Puts alerts into the store, each an alert of its own; answers their ids, newest first. */
export async function insertAlerts(sql: postgres.Sql, count: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    with made as (
      select n, overlay(overlay(md5('api alert ' || n) placing '5' from 13) placing 'a' from 17)::uuid as id, now() - n * interval '1 minute' as at,
        (array['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL'])[1 + n % 5] as severity
      from generate_series(0, ${count - 1}::integer) as n
    ), stored as (
      insert into alerts (alert_id, timestamp, received_at, alert_name, alert_type, severity, description,
        rule_id, rule_name, actor_id, server_hostname, action_observed, analysis_rule_details,
        triggered_by_details, impacted_resource_details, metadata, raw_event_data, group_id, first_seen,
        last_seen, emission_count, emission_key, correlated_at)
      select id, at, at, 'Failed logins', 'SECURITY', severity, '=1+1, "quoted"', 'rule-' || n % 7,
        'Rule ' || n % 7, 'user-' || n % 11, 'host-' || n % 3, 'user_login', '{"rule_id": "rule"}',
        '{}', '{}', '{"tags": ["one"]}', '{"user_id": "root"}', id, at, at, 1, 'k', at
      from made
    ), kept as (
      insert into alert_evidence (group_id, event_key, source, id, time)
      select id, decode(md5(id::text), 'hex'), '/test', 'event-' || n, at from made
    ), shown as (
      insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count,
        alert_name, alert_type, severity, description, rule_id, rule_name, actor_id, server_hostname,
        action_observed, tags)
      select id, at, id, at, at, at, 1, 'Failed logins', 'SECURITY', severity, '=1+1, "quoted"',
        'rule-' || n % 7, 'Rule ' || n % 7, 'user-' || n % 11, 'host-' || n % 3, 'user_login', '{one}'
      from made
    )
    select id from made order by n`;
  return rows.map(({ id }) => id);
}
