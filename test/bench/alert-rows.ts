import type postgres from "postgres";

/** The id of the n-th alert of `insertAlertRows`; also its group's and its episode's. */
const idOfRow = (n: string) =>
  `overlay(overlay(md5('alert ' || ${n}) placing '5' from 13) placing 'a' from 17)::uuid`;

const hosts = 200;
const actors = 1000;
const rules = 40;

/**
 * Makes alerts by SQL, as many as asked for, each of one event, in a group and an episode of its own, spread
 * evenly over the 30 days before now; then has the tables analysed. The n-th one (from 0) is the same each
 * time but for its times; of 100 alerts 2 are critical and 70 resolved, none is suppressed.
 */
export async function insertAlertRows(
  sql: postgres.Sql,
  count: number,
  { from = 0, batch = 100_000 }: { readonly from?: number; readonly batch?: number } = {},
): Promise<void> {
  await sql`select notification_ensure_partitions(2, now() - interval '31 days')`;
  const indexes = await dropIndexes(sql);
  for (let first = from; first < from + count; first += batch) {
    const last = Math.min(first + batch, from + count) - 1;
    await sql.unsafe(insertText(), [first, last, from, count]);
  }
  for (const text of indexes) await sql.unsafe(text);
  for (const table of tables) await sql.unsafe(`analyze ${table}`);
}

const tables = ["alerts", "alert_evidence", "episodes"];

/** Drops what is no key: to make an index anew takes a fraction of the time. Answers how to. */
async function dropIndexes(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string; text: string }[]>`
    select indexname as name, replace(indexdef, ' ON ONLY ', ' ON ') as text from pg_indexes
    where schemaname = current_schema() and tablename = any(${tables})
      and indexname not in (select conname from pg_constraint)`;
  for (const { name } of rows) await sql.unsafe(`drop index ${name}`);
  return rows.map(({ text }) => text);
}

/** One statement per batch, because a row's place in time is the same in all three tables. */
function insertText(): string {
  return `
with numbers as (
  select n::bigint as n, ${idOfRow("n")} as id,
    date_trunc('milliseconds', now() - interval '30 days' * ($4::bigint + $3::bigint - n) / $4::bigint) as at,
    -- A number that says nothing about the place in time.
    ('x' || substr(md5(n::text), 1, 7))::bit(28)::integer as chance
  from generate_series($1::bigint, $2::bigint) as n
), told as (
  select *,
    (array['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[
      case when chance % 100 < 2 then 5 when chance % 100 < 15 then 4 when chance % 100 < 50 then 3
        when chance % 100 < 80 then 2 else 1 end] as severity,
    case when chance % 1000 < 700 then 'resolved' when chance % 1000 < 800 then 'acknowledged' else 'open' end
      as status,
    'rule-' || chance % ${rules} as rule_id, 'Rule number ' || chance % ${rules} as rule_name,
    'user-' || chance / 7 % ${actors} as actor_id, 'host-' || chance / 11 % ${hosts} as host,
    ('10.0.' || chance % 250 || '.' || chance / 250 % 250)::inet as client_ip,
    array['attack.t1110', 'team-' || chance % 5] as tags,
    'Something happened ' || chance % 50 || ' times on host-' || chance / 11 % ${hosts} || '.' as description
  from numbers
), stored_alerts as (
  insert into alerts (alert_id, correlation_id, timestamp, received_at, alert_name, alert_type, severity,
    description, source_service_name, rule_id, rule_name, actor_type, actor_id, client_ip, resource_type,
    resource_id, server_hostname, action_observed, analysis_rule_details, triggered_by_details,
    impacted_resource_details, metadata, raw_event_data, rule_version, group_id, group_key, group_values,
    first_seen, last_seen, emission_count, emission_key, correlated_at)
  select id, id, at, at, rule_name, 'SECURITY', severity, description, 'sshd', rule_id, rule_name, 'USER',
    actor_id, client_ip, 'HOST', host, host, 'user_login',
    jsonb_build_object('rule_id', rule_id, 'rule_name', rule_name),
    jsonb_build_object('actor_type', 'USER', 'actor_id', actor_id, 'client_ip', host(client_ip)),
    jsonb_build_object('resource_type', 'HOST', 'resource_id', host, 'server_hostname', host),
    jsonb_build_object('tags', tags, 'environment', 'production'),
    jsonb_build_object('event_type', 'user_login', 'user_id', actor_id, 'action_result', 'FAILURE'),
    'v1', id, n::text, jsonb_build_object('user_id', actor_id), at, at, 1, n::text, at
  from told
), stored_evidence as (
  insert into alert_evidence (group_id, event_key, source, id, time, stored_at)
  select id, sha256(convert_to(n::text, 'UTF8')), '/bench', n::text, at, at from told
)
insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count, status,
  disposition, revision, worked_at, alert_name, alert_type, severity, description, source_service_name, rule_id,
  rule_name, rule_version, actor_type, actor_id, client_ip, resource_type, resource_id, server_hostname,
  action_observed, correlation_id, tags, environment, group_values)
select id, at, id, at, at, at, 1, status, case status when 'resolved' then 'benign' end,
  case status when 'open' then 0 else 1 end, case status when 'open' then null else at end,
  rule_name, 'SECURITY', severity, description, 'sshd', rule_id, rule_name, 'v1', 'USER', actor_id, client_ip,
  'HOST', host, host, 'user_login', id, tags, 'production', jsonb_build_object('user_id', actor_id)
from told`;
}
