import { afterAll, beforeAll, expect, test } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { createLog } from "../log.ts";
import { openPostgres, type Postgres } from "../postgres/postgres.ts";
import { openPostgresLedger } from "./postgres.ts";
import { runLedgerRetention } from "./retention.ts";

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

const type = "io.auditflow.audit.recorded.v1";
const toEvent = (id: string) =>
  ({
    specversion: "1.0",
    id,
    source: "/test",
    type,
    extensions: {},
    data: { event_type: "user_login" },
  }) as const;

/** Accepts an event so many days ago; `becomes` of it what it says. */
async function accepted(
  id: string,
  days: number,
  becomes: "evaluated" | "detected" | "pending",
): Promise<void> {
  await using ledger = openPostgresLedger(postgres, { log });
  const event = toEvent(id);
  await ledger.accept(event);
  const detections = becomes === "detected" ? [toEvent(`${id}-detected`)] : [];
  if (becomes !== "pending") await ledger.record({ event, ruleSet: "r", detections });
  const at = `now() - make_interval(days => ${days})`;
  await postgres.sql.unsafe(
    `update event_keys set accepted_at = ${at} where key = (select key from events where id = $1)`,
    [id],
  );
  await postgres.sql.unsafe(
    `update events set accepted_at = (select accepted_at from event_keys where event_keys.key = events.key)
    where id = $1`,
    [id],
  );
}

/** Gives a month a partition of its own, moving what the default one holds of it. */
async function partitionOf(days: number): Promise<string> {
  return postgres.transaction(async (sql) => {
    const [month] = await sql<{ name: string; from: string; to: string }[]>`
      select 'events_' || to_char(month, 'YYYY_MM') as name, month::text as from,
        (month + interval '1 month')::text as to
      from (select date_trunc('month', now() at time zone 'UTC' - make_interval(days => ${days})) as month) as m`;
    if (!month) throw new Error("no month");
    const range = `accepted_at >= '${month.from}+00' and accepted_at < '${month.to}+00'`;
    await sql.unsafe(`create table moved as select * from events where ${range}`);
    await sql.unsafe(`delete from events where ${range}`);
    await sql.unsafe(
      `create table ${month.name} partition of events for values from ('${month.from}+00') to ('${month.to}+00')`,
    );
    await sql`insert into events select * from moved`;
    await sql`drop table moved`;
    return month.name;
  });
}

async function idsLeft(): Promise<readonly string[]> {
  const rows = await postgres.sql<{ id: string }[]>`select id from events order by id`;
  return rows.map(({ id }) => id);
}

test("months are dropped, but not what is pending, and a forgotten event is accepted as new", async () => {
  await accepted("gone", 100, "evaluated");
  await accepted("gone-too", 100, "evaluated");
  const whole = await partitionOf(100);
  await accepted("judged", 200, "evaluated");
  await accepted("waits", 200, "pending");
  await accepted("unstored", 200, "detected");
  const pending = await partitionOf(200);
  await accepted("stray", 900, "evaluated");
  await accepted("stray-waits", 900, "pending");
  await accepted("young", 3, "evaluated");
  await postgres.sql`
    insert into timers (key, series, group_key, bucket, due)
    values ('k', 's', '"g"', 0, now() - interval '900 days')`;

  const planned = await runLedgerRetention({ postgres, days: 30, dryRun: true });
  expect(await idsLeft()).toHaveLength(8);
  const done = await runLedgerRetention({ postgres, days: 30, dryRun: false });
  const result = (partition: string) => done.find((row) => row.partition === partition);
  expect(result(whole)).toEqual({
    partition: whole,
    events: 2,
    keys: 2,
    detections: 0,
    pending: 0,
    dropped: true,
  });
  expect(result(pending)).toMatchObject({ keys: 1, pending: 2, dropped: false });
  expect(result("events_default")).toMatchObject({ events: 1, keys: 1, pending: 1, dropped: false });
  expect(done.map(({ partition, keys, pending: kept }) => [partition, keys, kept])).toEqual(
    planned.map(({ partition, keys, pending: kept }) => [partition, keys, kept]),
  );
  expect(await idsLeft()).toEqual(["judged", "stray-waits", "unstored", "waits", "young"]);
  const keys = await postgres.sql`select from event_keys`;
  expect(keys).toHaveLength(4);
  expect(await postgres.sql`select from detections`).toHaveLength(1);
  expect(await postgres.sql`select from timers`).toHaveLength(1);

  await using ledger = openPostgresLedger(postgres, { log });
  expect(await ledger.accept(toEvent("gone"))).toMatchObject({ outcome: "stored" });
  expect(await ledger.accept(toEvent("young"))).toMatchObject({ outcome: "duplicate" });
});

test("less than a day is refused", async () => {
  await expect(runLedgerRetention({ postgres, days: 0, dryRun: true })).rejects.toThrow("at least 1 day");
});
