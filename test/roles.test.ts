import { randomBytes } from "node:crypto";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { grantTo } from "../cli/migrate/grants.ts";
import { migrationFolders } from "../cli/migrations.ts";
import { alertEvent, sightingEmission } from "../functions/notification/emissions.testing.ts";
import { toEmission } from "../functions/notification/alert.ts";
import { runRetention } from "../functions/notification/store/retention.ts";
import { createStore } from "../functions/notification/store/store.ts";
import { tellAll } from "../functions/notification/store/tell-all.testing.ts";
import { fromUndeliverable } from "../functions/notification/dead-letters/dead-letter.ts";
import { writeChanges } from "../functions/notification/life-cycle/write-changes.ts";
import { openPostgresLedger } from "../runtime/ledger/postgres.ts";
import { createLog } from "../runtime/log.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { migrate } from "../runtime/postgres/migrate.ts";
import { openPostgres, type Postgres } from "../runtime/postgres/postgres.ts";
import { connect, openEmptyDatabase, type TestDatabase } from "./support/database.ts";

const log = createLog({ name: "test", level: "silent" });
const role = `auditflow_app_${randomBytes(4).toString("hex")}`;
const password = randomBytes(12).toString("hex");
let database: TestDatabase;
let owner: postgres.Sql;
let plain: postgres.Sql;
let app: Postgres;

beforeAll(async () => {
  database = await openEmptyDatabase();
  await migrate({ url: database.url, directories: migrationFolders });
  owner = connect(database.url);
  await owner.unsafe(`create role ${role} login password '${password}'`);
  await using admin = await openPostgres({ url: database.url, name: "test", log });
  await grantTo(admin, role);
  const url = new URL(database.url);
  url.username = role;
  url.password = password;
  app = await openPostgres({ url: url.href, name: "test", log });
  plain = connect(url.href);
});
afterAll(async () => {
  await plain.end();
  await app[Symbol.asyncDispose]();
  await owner.unsafe(`drop owned by ${role}`);
  await owner.unsafe(`drop role ${role}`);
  await owner.end();
  await database[Symbol.asyncDispose]();
});

const event = (id: string) =>
  ({
    specversion: "1.0",
    id,
    source: "/test",
    type: "io.auditflow.audit.recorded.v1",
    extensions: {},
    data: { event_type: "user_login" },
  }) as const;

describe("the functions' role", () => {
  test("keeps events, alerts, messages, changes and dead letters", async () => {
    await using ledger = openPostgresLedger(app, { log });
    const alert = alertEvent({}, "of-role");
    await ledger.accept(event("1"));
    await ledger.record({
      event: event("1"),
      ruleSet: "r",
      detections: [alert],
      timers: [{ series: "s", group: "g", bucket: 1, endsAt: 0, latenessMs: 0 }],
    });
    const [due] = await ledger.dueTimers({ limit: 1, leaseMs: 1000 });
    expect(due && (await ledger.settle({ timer: due, detections: [] }))).toEqual([]);
    const store = createStore({
      postgres: app,
      metrics: createMetrics("test"),
      tell: tellAll(["console"]),
      onOutbox: () => undefined,
    });
    await store.storeAlert(toEmission(alert));
    await store.storeAlert(sightingEmission({ alert: 1, group: 1, events: [1, 2] }, "role"));
    await store.storeAlert(sightingEmission({ alert: 2, group: 1, events: [8, 9] }, "role"));
    await store.storeAlert(sightingEmission({ alert: 3, group: 1, events: [2, 8] }, "role"));
    await store.storeDeadLetter(fromUndeliverable({}, Buffer.from("x")));
    const [episode] = await app.sql<{ id: string }[]>`
      update episodes set revision = revision + 1 where merged_into is null returning episode_id as id`;
    const alertId = episode?.id ?? "";
    await app.transaction((sql) =>
      writeChanges(sql, [
        {
          alertId,
          revision: 1,
          action: "comment",
          changedAt: Date.now(),
          by: { type: "user", id: "ana" },
          reason: "seen",
          before: {},
          after: {},
        },
      ]),
    );
    await app.sql`delete from outbox`;
    const delivered = await app.sql<{ id: string }[]>`
      update deliveries set status = 'delivered', attempts = attempts + 1 returning delivery_id as id`;
    await app.sql`
      insert into delivery_attempts (delivery_id, attempt, duration_ms, outcome, idempotency_key)
      values (${delivered[0]?.id ?? ""}, 1, 1, 'delivered', 'k')`;
    expect(delivered.length).toBeGreaterThan(1);
    expect((await runRetention({ postgres: app, days: 1, dryRun: false })).tables.length).toBeGreaterThan(5);
  });

  test.for([
    "create table mine (a integer)",
    "create table mine partition of alerts for values from ('2001-01-01') to ('2001-02-01')",
    "create function mine() returns integer language sql as 'select 1'",
    "create schema mine",
    "drop table alerts",
    "drop table alerts_default",
    "alter table alerts add column mine integer",
    "alter table alert_changes disable trigger all",
    "truncate alert_changes",
    "update alert_changes set reason = 'x'",
    "delete from alert_changes",
    "update delivery_attempts set outcome = 'failed'",
    "delete from delivery_attempts",
    "delete from alert_changes_default",
    "delete from events",
    "update events set event = ''",
    "delete from event_keys",
    "delete from alerts",
    "delete from episodes",
    "update alert_evidence set id = ''",
    "insert into api_keys (key_id, prefix, name, scopes, hash) values (gen_random_uuid(), 'p', 'n', '{admin}', 'h')",
    "update api_keys set scopes = '{admin}'",
    "select from auditflow_migrations",
    "set session_replication_role = replica",
  ])("may not: %s", async (statement) => {
    await expect(plain.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
  });

  test("may not delete history by saying it is retention", async () => {
    const work = plain.begin(async (sql) => {
      await sql`set local auditflow.retention = 'on'`;
      await sql`delete from alert_changes`;
    });
    await expect(work).rejects.toMatchObject({ code: "42501" });
  });
});

test("every table is in the list of what the functions' role may do", async () => {
  await using admin = await openPostgres({ url: database.url, name: "test", log });
  const granted = await grantTo(admin, role);
  const rows = await owner<{ name: string }[]>`
    select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = current_schema() and relkind in ('r', 'p') and not relispartition`;
  const names = rows.map(({ name }) => name).filter((name) => name !== "auditflow_migrations");
  expect(new Set(granted)).toEqual(new Set(names));
});

test("history is append-only for the owner too", async () => {
  expect(await owner`select from alert_changes`).not.toHaveLength(0);
  await expect(owner`update alert_changes set reason = 'x'`).rejects.toThrow("is append-only");
  await expect(owner`delete from delivery_attempts`).rejects.toThrow("is append-only");
});

test("rights that are no longer needed are taken away when they are granted anew", async () => {
  await owner.unsafe(`grant delete on alert_changes to ${role}`);
  await using admin = await openPostgres({ url: database.url, name: "test", log });
  await grantTo(admin, role);
  await expect(plain`delete from alert_changes`).rejects.toMatchObject({ code: "42501" });
  await expect(grantTo(admin, "nobody_at_all")).rejects.toMatchObject({ code: "42704" });
});
