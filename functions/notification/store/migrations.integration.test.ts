import { randomBytes } from "node:crypto";
import type postgres from "postgres";
import { describe, expect, test } from "vitest";

import { migrate } from "../../../runtime/postgres/migrate.ts";
import {
  connect,
  migrationFolders,
  openEmptyDatabase,
  type TestDatabase,
} from "../../../test/support/database.ts";
import { probe } from "../../../test/support/servers.ts";

/** The PostgreSQL that a cluster may have: older than the embedded one. */
const older = await probe(
  "PostgreSQL",
  "AUDITFLOW_TEST_POSTGRES_URL",
  "postgres://root@127.0.0.1:5432/postgres",
);

async function openOlder(): Promise<TestDatabase> {
  const name = `auditflow_test_${randomBytes(6).toString("hex")}`;
  const admin = connect(older.url);
  await admin`create database ${admin(name)}`;
  const url = new URL(older.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await admin`drop database ${admin(name)} with (force)`;
      await admin.end();
    },
  };
}

/** As 0101 kept them: alerts of five months, joined in twos, told of and refused. */
const fill = `
insert into alerts (alert_id, correlation_id, timestamp, received_at, alert_name, alert_type, severity,
  description, rule_id, rule_name, actor_id, client_ip, action_observed, analysis_rule_details,
  triggered_by_details, impacted_resource_details, metadata, raw_event_data, group_id, group_key, group_values,
  first_seen, last_seen, emission_count, emission_key, correlated_at)
select md5('alert' || n)::uuid, md5('event' || n)::uuid, at, at + interval '1 second', 'Alert ' || n, 'SECURITY',
  (array['LOW', 'HIGH', 'CRITICAL'])[n % 3 + 1], 'Ünïcode ' || n, 'R-' || n % 4, 'Rule', 'user-' || n,
  ('203.0.113.' || n)::inet, 'login', '{"rule_id": "R"}', '{}', '{}',
  case when n % 5 = 0 then '{}' else '{"tags": ["a", "b c"], "environment": "prod"}' end::jsonb,
  jsonb_build_object('n', n), md5('group' || n / 2)::uuid, 'g', '{"user": "u"}', at, at + interval '1 minute',
  1, 'key' || n, at
from (select n, now() - n * interval '5 days' as at from generate_series(1, 30) as n) as numbers;
insert into alert_evidence (group_id, event_key, source, id, time)
select group_id, decode(md5(alert_id::text), 'hex'), '/s', alert_id::text, first_seen from alerts;
insert into episodes (episode_id, group_id, timestamp, first_seen, last_seen, count, status, merged_into)
select alert_id, group_id, timestamp, first_seen, last_seen, 1,
  case when emission_key like '%7' then 'suppressed' else 'open' end,
  case when emission_key like '%3' then md5('alert2')::uuid end
from alerts;
insert into deliveries (delivery_id, alert_id, channel, kind, message, status, attempts, created_at, last_error)
select md5('delivery' || alert_id)::uuid, alert_id, 'console', 'raised', '{"type": "alert.raised"}',
  case when emission_key like '%1' then 'pending' else 'delivered' end, 1, received_at, 'late'
from alerts;
insert into dead_letters (dead_letter_id, kind, code, detail, origin, headers, body, received_at)
select alert_id, 'rejected', 'C', 'd', 'analysis', '{"a": "b"}', '\\x00ff', received_at from alerts`;

const tables = ["alerts", "alert_evidence", "episodes", "deliveries", "dead_letters"];

async function contents(sql: postgres.Sql): Promise<Record<string, unknown>> {
  const entries = tables.map(async (table) => {
    // What changes of an episode by being copied: the transaction that wrote it.
    const rows = await sql.unsafe<{ row: object }[]>(
      `select to_jsonb(kept) - 'changed_by' as row from ${table} as kept order by 1`,
    );
    return [table, rows.map(({ row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What the newer tables can hold and the older ones cannot. */
const beyond = `
insert into deliveries (delivery_id, alert_ids, channel, kind, message, status, muted_by)
values (gen_random_uuid(), '{}', 'console', 'test', '{}', 'delivered', null),
  (gen_random_uuid(), array[md5('alert1')::uuid, md5('alert2')::uuid], 'mail', 'digest', '{}', 'pending', null),
  (gen_random_uuid(), array[md5('alert1')::uuid], 'mail', 'raised', '{}', 'muted', 'silence/1');
insert into alert_changes (change_id, alert_id, revision, action, actor_type, actor_id, before, after)
values (gen_random_uuid(), md5('alert1')::uuid, 1, 'acknowledge', 'user', 'ana', '{}', '{}');
insert into outbox (event) values ('{}')`;

/** Answers what 0101 kept before it went up, and after it came down again. */
async function upAndDown(url: string) {
  const directories = migrationFolders;
  await migrate({ url, directories, to: "0101_alerts" });
  const sql = connect(url);
  try {
    for (const statement of fill.split(";\n")) await sql.unsafe(statement);
    const before = await contents(sql);
    expect(before["alerts"]).toHaveLength(30);

    await migrate({ url, directories });
    const [moved] = await sql`
      select (select count(*)::integer from alerts) as alerts,
        (select count(distinct tableoid)::integer from alerts) as partitions,
        (select count(*)::integer from alert_evidence) as evidence,
        (select count(*)::integer from episodes where merged_into is null) as episodes`;
    expect(moved).toMatchObject({ alerts: 30, evidence: 30, episodes: 27 });
    expect(moved?.["partitions"]).toBeGreaterThan(4);
    const copied = await sql`
      select from episodes join alerts on alert_id = episode_id and alerts.received_at = episodes.received_at
      where (episodes.alert_name, episodes.severity, episodes.client_ip, episodes.tags, episodes.environment)
        is not distinct from (alerts.alert_name, alerts.severity, alerts.client_ip,
          case when metadata ? 'tags' then array['a', 'b c'] else '{}' end, metadata ->> 'environment')`;
    expect(copied).toHaveLength(30);
    for (const statement of beyond.split(";\n")) await sql.unsafe(statement);

    await migrate({ url, directories, direction: "down", to: "0102_life_cycle" });
    const after = await contents(sql);
    await migrate({ url, directories });
    await migrate({ url, directories, direction: "down", to: 0 });
    const left = await sql`
      select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where nspname = current_schema() and relkind in ('r', 'p', 'S') and relname <> 'auditflow_migrations'
      union all
      select proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where nspname = current_schema()`;
    return { before, after, left };
  } finally {
    await sql.end();
  }
}

describe("migrations with rows in the tables", () => {
  test("lose nothing on the way up, keep what they can on the way down, and leave nothing behind", async () => {
    await using database = await openEmptyDatabase();
    const { before, after, left } = await upAndDown(database.url);
    expect(after).toEqual(before);
    expect(left).toEqual([]);
  });

  test.skipIf(!older.reachable)("do so on an older PostgreSQL too", async () => {
    await using database = await openOlder();
    const { before, after, left } = await upAndDown(database.url);
    expect(after).toEqual(before);
    expect(left).toEqual([]);
  });
});
