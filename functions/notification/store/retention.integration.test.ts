import { afterAll, beforeAll, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { connect, openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { runRetention } from "./retention.ts";
import { tellAll } from "./tell-all.testing.ts";
import { writeAlerts } from "./write-alerts.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** An alert of so many days ago with everything that belongs to it. */
async function storedBefore(days: number, status = "resolved"): Promise<string> {
  const emission = sightingEmission({ alert: 1, group: days, events: [1, 2] }, "old");
  const { alertId, groupId } = emission;
  await postgres.transaction(async (sql) => {
    const { occasions } = await writeAlerts(sql, [emission]);
    await tellAll(["console"])(sql, occasions);
    await sql`update episodes set status = ${status} where episode_id = ${alertId}`;
    await sql`update deliveries set status = 'delivered' where ${alertId} = any(alert_ids)`;
    await sql`
      insert into alert_changes (change_id, alert_id, revision, action, actor_type, actor_id, before, after)
      values (${deriveUuid("change", alertId)}, ${alertId}, 1, 'resolve', 'user', 'ana', '{}', '{}')`;
    await sql`
      insert into delivery_attempts (delivery_id, attempt, duration_ms, outcome, idempotency_key)
      select delivery_id, 1, 1, 'delivered', 'k' from deliveries where ${alertId} = any(alert_ids)`;
  });
  // Moving a row to the partition of its time is what nobody else does.
  const back = `- make_interval(days => ${days})`;
  await postgres.transaction(async (sql) => {
    await sql`set local session_replication_role = replica`;
    for (const [table, age, where] of [
      [
        "delivery_attempts",
        "started_at",
        "delivery_id in (select delivery_id from deliveries where $1::uuid = any(alert_ids))",
      ],
      ["deliveries", "created_at", "$1::uuid = any(alert_ids)"],
      ["alert_changes", "changed_at", "alert_id = $1::uuid"],
      ["episodes", "received_at", "episode_id = $1::uuid"],
      ["alerts", "received_at", "alert_id = $1::uuid"],
    ]) {
      await sql.unsafe(`update ${table} set ${age} = ${age} ${back} where ${where}`, [alertId]);
    }
    await sql.unsafe(`update alert_evidence set stored_at = stored_at ${back} where group_id = $1`, [
      groupId,
    ]);
  });
  return alertId;
}

async function alertsLeft(): Promise<readonly string[]> {
  const rows = await postgres.sql<{ id: string }[]>`select alert_id as id from alerts`;
  return rows.map(({ id }) => id);
}

const tables = ["alerts", "alert_evidence", "episodes", "alert_changes", "deliveries", "delivery_attempts"];

test("whole months are dropped, old rows of the default partition deleted, and what is young stays", async () => {
  await postgres.sql`select notification_ensure_partitions(2, now() - interval '130 days')`;
  const months = await storedBefore(120, "open");
  const default_ = await storedBefore(400);
  const young = await storedBefore(5);
  await postgres.sql`
    insert into silences (silence_id, query, author, comment, starts_at, ends_at)
    values (gen_random_uuid(), '', 'ana', '', now() - interval '60 days', now() - interval '50 days'),
      (gen_random_uuid(), '', 'ana', '', now() - interval '60 days', now() - interval '2 days')`;
  await postgres.sql`
    insert into idempotency_keys (key, request, created_at)
    values ('a', '', now() - interval '25 hours'), ('b', '', now() - interval '23 hours')`;

  const planned = await runRetention({ postgres, days: 40, dryRun: true });
  expect(await alertsLeft()).toEqual(expect.arrayContaining([months, default_, young]));
  const done = await runRetention({ postgres, days: 40, dryRun: false });
  expect(done.tables).toEqual(planned.tables);

  const byTable = new Map(done.tables.map((row) => [row.table, row]));
  for (const table of tables) {
    const rows = table === "alert_evidence" ? 4 : 2;
    const open = { alert_evidence: 2, delivery_attempts: 0 }[table] ?? 1;
    expect(byTable.get(table), table).toMatchObject({ rows, open_rows: open, kept: [] });
    expect(byTable.get(table)?.dropped.length, table).toBeGreaterThan(1);
    const [{ left } = { left: -1 }] = await postgres.sql.unsafe<{ left: number }[]>(
      `select count(*)::integer as left from ${table}`,
    );
    expect(left, table).toBe(table === "alert_evidence" ? 2 : 1);
  }
  expect(byTable.get("silences")?.rows).toBe(1);
  expect(byTable.get("idempotency_keys")?.rows).toBe(1);
  expect(await alertsLeft()).toEqual([young]);

  const again = await runRetention({ postgres, days: 40, dryRun: false });
  expect(again.tables.filter(({ rows }) => rows > 0)).toEqual([]);
});

test("less than a day is refused by the database itself", async () => {
  await expect(runRetention({ postgres, days: 0, dryRun: false })).rejects.toThrow("at least 1 day, got 0");
  await expect(postgres.sql`select notification_expire(0, 'alerts_default', 1)`).rejects.toThrow(
    "at least 1 day",
  );
  await expect(
    postgres.sql`select ledger_forget(null, 'events_default', '-infinity', '', 1)`,
  ).rejects.toThrow("at least 1 day, got null");
});

test("a partition that is in use is kept and told of", async () => {
  await postgres.sql`select notification_ensure_partitions(2, now() - interval '130 days')`;
  const other = connect(database.url);
  try {
    const result = await postgres.transaction(async (sql) => {
      await sql`lock table alerts in access exclusive mode`;
      const [row] = await sql<{ name: string }[]>`
        select name from notification_expired_partitions(40) where parent = 'dead_letters' and whole limit 1`;
      const name = (row?.name ?? "").replace("dead_letters", "alerts");
      return await other`select notification_expire(40, ${name}, 1) as deleted`;
    });
    expect(result).toMatchObject([{ deleted: null }]);
  } finally {
    await other.end();
  }
});

test("alerts stay for as long as the episodes that are named after them cannot go", async () => {
  await postgres.sql`select notification_ensure_partitions(2, now() - interval '130 days')`;
  const alert = await storedBefore(120);
  const [row] = await postgres.sql<{ name: string }[]>`
    select tableoid::regclass::text as name from episodes where episode_id = ${alert}`;
  const name = row?.name ?? "";
  const other = connect(database.url);
  try {
    await other.begin(async (sql) => {
      await sql`lock table ${sql(name)} in access share mode`;
      const { tables: told } = await runRetention({ postgres, days: 40, dryRun: false });
      const kept = (table: string) => told.find((one) => one.table === table)?.kept;
      expect(kept("episodes")).toEqual([name]);
      expect(kept("alerts")).toEqual([name.replace("episodes", "alerts")]);
    });
    expect(await alertsLeft()).toContain(alert);
    await runRetention({ postgres, days: 40, dryRun: false });
    expect(await alertsLeft()).not.toContain(alert);
  } finally {
    await other.end();
  }
}, 30_000);

test("a delivery that is still tried stays, and its month with it", async () => {
  await postgres.sql`truncate deliveries`;
  await postgres.sql`select notification_ensure_partitions(2, now() - interval '130 days')`;
  await postgres.sql`
    insert into deliveries (delivery_id, alert_ids, channel, kind, message, status, give_up_at, created_at)
    select gen_random_uuid(), '{}', channel, 'raised', '{}', status, now() + horizon * interval '1 hour',
      now() - age * interval '1 day'
    from (values ('held', 'pending', 1, 120), ('held', 'failed', 1, 120), ('over', 'pending', -1, 85),
      ('held by default', 'pending', 1, 400), ('default', 'failed', 1, 400), ('default', 'pending', -1, 400)
    ) as given (channel, status, horizon, age)`;
  const left = async () =>
    (await postgres.sql<{ channel: string }[]>`select channel from deliveries`).map(({ channel }) => channel);
  const [{ name } = { name: "" }] = await postgres.sql<{ name: string }[]>`
    select distinct tableoid::regclass::text as name from deliveries where channel = 'held'`;
  const planned = await runRetention({ postgres, days: 40, dryRun: true });
  const done = await runRetention({ postgres, days: 40, dryRun: false });
  expect(done.tables).toEqual(planned.tables);
  const deliveries = done.tables.find(({ table }) => table === "deliveries");
  expect(deliveries).toMatchObject({ rows: 3, kept: [name] });
  expect(await left()).toEqual(expect.arrayContaining(["held", "held", "held by default"]));
  expect(await left()).not.toEqual(expect.arrayContaining(["over"]));
  expect(await left()).not.toEqual(expect.arrayContaining(["default"]));
  // Nor may what asks the database itself.
  expect(await postgres.sql`select notification_expire(40, ${name}, 1) as deleted`).toEqual([
    { deleted: null },
  ]);
  await postgres.sql`update deliveries set status = 'delivered' where status = 'pending'`;
  const later = await runRetention({ postgres, days: 40, dryRun: false });
  expect(later.tables.find(({ table }) => table === "deliveries")).toMatchObject({ rows: 3, kept: [] });
  expect(await left()).toEqual([]);
});

test("history cannot be changed or deleted, not even by its owner", async () => {
  await storedBefore(3);
  for (const statement of [
    "update alert_changes set reason = 'x'",
    "delete from alert_changes",
    "update delivery_attempts set outcome = 'failed'",
    "delete from delivery_attempts",
  ]) {
    const [, table] = /(alert_changes|delivery_attempts)/.exec(statement) ?? [];
    await expect(postgres.sql.unsafe(statement), statement).rejects.toThrow(
      new RegExp(`${table}_.* is append-only`),
    );
  }
});
