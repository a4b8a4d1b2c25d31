import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { parseQuery } from "../query/query.ts";
import { writeAlerts } from "../store/write-alerts.ts";
import { createDesk, type Desk } from "./desk.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let desk: Desk;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  desk = openDesk(postgres);
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await postgres.sql`truncate alerts, alert_evidence, episodes, outbox, alert_changes`;
});

const openDesk = (postgres: Postgres) => createDesk({ postgres, now: Date.now, onOutbox: () => undefined });
const ana = { type: "user", id: "ana" } as const;
const acknowledge = { action: { action: "acknowledge" }, by: ana, reason: "all of them" } as const;
const resolve = { action: { action: "resolve", disposition: "benign" }, by: ana } as const;

/** Stores alerts, each in a group of its own; answers their ids. */
async function storeAlerts(count: number): Promise<readonly string[]> {
  const run = randomUUID();
  const emissions = Array.from({ length: count }, (_, group) =>
    sightingEmission({ alert: 1, group, events: [group] }, run),
  );
  await postgres.transaction((sql) => writeAlerts(sql, emissions));
  return emissions.map(({ alertId }) => alertId);
}

async function countRows() {
  const [row] = await postgres.sql<{ changes: number; events: number; reasons: number; acked: number }[]>`
    select (select count(*) from alert_changes)::integer as changes,
      (select count(distinct event ->> 'id') from outbox)::integer as events,
      (select count(distinct reason) from alert_changes)::integer as reasons,
      (select count(*) from episodes where status = 'acknowledged' and revision = 1)::integer as acked`;
  return row;
}

/** The same PostgreSQL, telling how many statements, and parts of them, each transaction made. */
function counting(inner: Postgres) {
  const statements: number[] = [];
  type Transaction = Parameters<Parameters<Postgres["transaction"]>[0]>[0];
  const counted = (sql: Transaction, at: number): Transaction =>
    new Proxy(sql, {
      apply(target, self, given) {
        statements[at] = (statements[at] ?? 0) + 1;
        return Reflect.apply(target, self, given) as unknown;
      },
    });
  return {
    statements,
    postgres: {
      ...inner,
      transaction: <T>(work: (sql: Transaction) => Promise<T>) =>
        inner.transaction((sql) => work(counted(sql, statements.push(0) - 1))),
    } satisfies Postgres,
  };
}

describe("a change of many alerts", () => {
  test("is a row of history and an event for each, with one reason", async () => {
    const ids = await storeAlerts(20);
    expect(await desk.changeMany({ ids }, acknowledge, { dryRun: false })).toEqual({
      matched: 20,
      changed: 20,
      unchanged: 0,
      refused: [],
      capped: false,
    });
    expect(await countRows()).toEqual({ changes: 20, events: 20, reasons: 1, acked: 20 });
  });

  test("tells what it would do without doing it", async () => {
    const ids = await storeAlerts(5);
    await desk.change(ids[0]!, resolve);
    await desk.change(ids[1]!, acknowledge);
    const result = await desk.changeMany({ ids }, acknowledge, { dryRun: true });
    const refused = [{ alert_id: ids[0], status: "resolved" }];
    expect(result).toEqual({ matched: 5, changed: 3, unchanged: 1, refused, capped: false });
    expect(await countRows()).toMatchObject({ changes: 2, acked: 1 });
    // And then does exactly that.
    expect(await desk.changeMany({ ids }, acknowledge, { dryRun: false })).toEqual(result);
    expect(await countRows()).toMatchObject({ changes: 5, acked: 4 });
  });

  test("takes ids that are unknown, no ids, twice the same or of one alert", async () => {
    const run = randomUUID();
    const emissions = [1, 2].map((alert) => sightingEmission({ alert, group: 0, events: [alert, 3] }, run));
    await postgres.transaction((sql) => writeAlerts(sql, emissions));
    const ids = emissions.map(({ alertId }) => alertId);
    const given = [...ids, ids[0]!.toUpperCase(), randomUUID(), "no id"];
    expect(await desk.changeMany({ ids: given }, acknowledge, { dryRun: false })).toMatchObject({
      matched: 1,
      changed: 1,
    });
  });

  test("needs as many statements for 500 alerts as for 10, in batches of 500", async () => {
    const ids = await storeAlerts(1100);
    const counted = counting(postgres);
    const desk = openDesk(counted.postgres);
    await desk.changeMany({ ids: ids.slice(0, 10) }, acknowledge, { dryRun: false });
    await desk.changeMany({ ids: ids.slice(10) }, acknowledge, { dryRun: false });
    expect(counted.statements).toHaveLength(4);
    expect(new Set(counted.statements)).toHaveProperty("size", 1);
    expect(counted.statements[0]).toBeLessThan(20);
    expect(await countRows()).toMatchObject({ changes: 1100, acked: 1100 });
  });

  test("looks at no more alerts than asked for, the newest, and says so", async () => {
    await storeAlerts(30);
    const which = { query: parseQuery("") };
    const result = await desk.changeMany(which, acknowledge, { dryRun: false, max: 10 });
    expect(result).toMatchObject({ matched: 10, changed: 10, capped: true });
    const oldest = await postgres.sql<{ status: string }[]>`
      select status from episodes order by last_seen limit 20`;
    expect(new Set(oldest.map(({ status }) => status))).toEqual(new Set(["open"]));
    expect(await desk.changeMany(which, acknowledge, { dryRun: true, max: 30 })).toMatchObject({
      capped: false,
    });
  });

  test("by a query takes what matches it, in a range of time, but nothing that is suppressed", async () => {
    const ids = await storeAlerts(10);
    const start = Date.parse("2026-11-21T12:00:00Z");
    await desk.change(ids[4]!, resolve);
    await postgres.sql`update episodes set status = 'suppressed' where episode_id = ${ids[5]!}`;
    const range = { from: start + 3000, to: start + 8000 };
    const result = await desk.changeMany(
      { query: parseQuery("status:open"), ...range },
      { action: { action: "assign", assignee: "ben" }, by: ana },
      { dryRun: false },
    );
    expect(result).toMatchObject({ matched: 3, changed: 3 });
    const assigned = await postgres.sql<{ episode_id: string }[]>`
      select episode_id from episodes where assignee = 'ben' order by last_seen`;
    expect(assigned.map(({ episode_id }) => episode_id)).toEqual([ids[3], ids[6], ids[7]]);
    const suppressed = { query: parseQuery("status:suppressed") };
    expect(await desk.changeMany(suppressed, acknowledge, { dryRun: false })).toMatchObject({
      matched: 1,
      refused: [{ alert_id: ids[5], status: "suppressed" }],
    });
  });

  test("that was cut off half-way is made again, and what was done is left as it is", async () => {
    const ids = await storeAlerts(1200);
    let batches = 0;
    const dying: Postgres = {
      ...postgres,
      async transaction(work) {
        if (++batches === 2) throw new Error("killed");
        return postgres.transaction(work);
      },
    };
    for (const change of [acknowledge, { ...acknowledge, action: { action: "comment" } } as const]) {
      batches = 0;
      const cut = openDesk(dying).changeMany({ ids }, change, { dryRun: false });
      await expect(cut).rejects.toThrow("killed");
      expect(await desk.changeMany({ ids }, change, { dryRun: false })).toMatchObject({
        changed: 700,
        unchanged: 500,
      });
    }
    const [row] = await postgres.sql`
      select count(*)::integer as changes, max(revision)::integer as revision from alert_changes`;
    expect(row).toEqual({ changes: 2400, revision: 2 });
  });
});
