import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { pino } from "pino";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import type { Event } from "../../events/event.ts";
import { eventKey } from "../../events/identity.ts";
import { connect, openTestDatabase } from "../../test/support/database.ts";
import { openPostgresServer } from "../../test/support/postgres-server.ts";
import { UnavailableError } from "../failure.ts";
import { createMetrics } from "../metrics.ts";
import { arrayLiteral } from "../postgres/array.ts";
import { openPostgres } from "../postgres/postgres.ts";
import type { Ledger } from "./ledger.ts";
import { ledgerConformance } from "./ledger.conformance.ts";
import { anyAge, someEvent } from "./overdue.conformance.ts";
import { openPostgresLedger } from "./postgres.ts";

const log = pino({ level: "silent" });

/** A ledger with connections of its own, which it takes along when it goes. */
async function openLedger(url: string, options: { readonly max?: number } = {}) {
  await using opening = new AsyncDisposableStack();
  const postgres = opening.use(await openPostgres({ ...options, url, name: "test-ledger", log }));
  const metrics = createMetrics("test");
  const ledger = opening.use(openPostgresLedger(postgres, { log, metrics }));
  const opened = opening.move();
  return { ...ledger, metrics, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

ledgerConformance("PostgreSQL", async () => {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await openTestDatabase());
  const ledger = opening.use(await openLedger(url));
  const replica = opening.use(await openLedger(url));
  const opened = opening.move();
  return { ledger, replica, [Symbol.asyncDispose]: () => opened.disposeAsync() };
});

describe("the ledger in PostgreSQL", () => {
  let url: string;
  let sql: postgres.Sql;
  const cleanup = new AsyncDisposableStack();

  beforeAll(async () => {
    ({ url } = cleanup.use(await openTestDatabase()));
    sql = cleanup.adopt(connect(url), (client) => client.end({ timeout: 1 }));
  });
  afterAll(() => cleanup.disposeAsync());

  test("the same events from many connections at once, in any order, are stored once", async () => {
    const events = Array.from({ length: 120 }, () => someEvent());
    await using replicas = new AsyncDisposableStack();
    const ledgers: Ledger[] = [];
    for (let n = 0; n < 6; n++) ledgers.push(replicas.use(await openLedger(url, { max: 3 })));
    const answers = await Promise.all(
      ledgers.flatMap((ledger, n) =>
        // Each replica in an order of its own: half of them backwards, all from another start.
        (n % 2 ? events : events.toReversed())
          .map((_, index, all) => all[(index + n * 17) % all.length]!)
          .map((event) => ledger.accept(event)),
      ),
    );
    expect(answers.filter(({ outcome }) => outcome === "stored")).toHaveLength(120);
    expect(answers.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(600);
    await Promise.all(
      ledgers.flatMap((ledger, n) =>
        (n % 2 ? events : events.toReversed()).map((event) =>
          ledger.record({ event, ruleSet: "r", detections: [someEvent()] }),
        ),
      ),
    );
    const ids = arrayLiteral(events.map(({ id }) => id));
    const [stored] = await sql`select count(*)::integer as n from events where id = any(${ids}::text[])`;
    const [detected] = await sql`select count(*)::integer as n, count(distinct cause)::integer as causes
      from detections`;
    expect([stored, detected]).toEqual([{ n: 120 }, { n: 120, causes: 120 }]);
  });

  test("putting off what was emitted does not stand across its evaluation", async () => {
    await using ledger = await openLedger(url);
    const [low, high] = [someEvent(), someEvent()].toSorted((a, b) => eventKey(a).compare(eventKey(b)));
    // The other way round than the order of locks, which is where a statement without one begins.
    for (const event of [high!, low!]) await ledger.accept(event);
    const lock = (transaction: postgres.ISql, event: Event) =>
      transaction`select from event_keys where key = ${eventKey(event)} for update`;
    let putOff: Promise<void> | undefined;
    await sql.begin(async (transaction) => {
      await lock(transaction, low!);
      putOff = ledger.markEmitted({ events: [low!, high!] });
      await vi.waitFor(async () => {
        const [row] = await sql`select count(*)::integer as waiting from pg_stat_activity
          where application_name = 'test-ledger' and wait_event_type = 'Lock'`;
        expect(row).toEqual({ waiting: 1 });
      });
      await lock(transaction, high!);
    });
    await expect(putOff).resolves.toBeUndefined();
  });

  test("the totals are what counting would find", async () => {
    await using ledger = await openLedger(url);
    const events = Array.from({ length: 10 }, () => someEvent());
    await Promise.all(events.map((event) => ledger.accept(event)));
    await ledger.markRejected(events[0]!, "no");
    await ledger.record({ event: events[0]!, ruleSet: "r", detections: [] });
    await ledger.markRejected(events[1]!, "no");
    const [counted] = await sql`
      select count(*)::integer as accepted, count(evaluated_at)::integer as evaluated,
        count(rejected_at)::integer as rejected,
        (count(*) filter (where evaluated_at is null and rejected_at is null))::integer as pending
      from event_keys`;
    expect(await ledger.counts()).toEqual(counted);
    const [events_] = await sql`select count(*)::integer as n from events`;
    expect(events_?.["n"]).toBe(counted?.["accepted"]);
  });

  test("predecessor-bug-29: concurrent writes share statements and commits", async () => {
    await using ledger = await openLedger(url);
    const transactions = async () => {
      const [row] = await sql`select pg_stat_force_next_flush(), xact_commit::integer as n
        from pg_stat_database where datname = current_database()`;
      return Number(row?.["n"]);
    };
    await ledger.accept(someEvent());
    const before = await transactions();
    await Promise.all(Array.from({ length: 1000 }, () => ledger.accept(someEvent())));
    expect((await transactions()) - before).toBeLessThan(100);
    const text = await ledger.metrics.registry.metrics();
    const [, flushes] = /auditflow_batch_rows_count{.*} (\d+)/.exec(text) ?? [];
    // The lone first one, then 1,000 in batches of 500.
    expect(Number(flushes)).toBe(3);
    expect(text).toMatch(/auditflow_events_accepted_total{outcome="stored".*} 1001/);
  });

  test("a role that may create nothing can run all of it", async () => {
    const role = `auditflow_test_${randomUUID().slice(0, 8)}`;
    const password = randomUUID();
    await sql.unsafe(`
      create role ${role} login password '${password}';
      grant select, insert on events to ${role};
      grant select, insert, update on event_keys, detections, ledger_counts to ${role};
      grant select, insert, update, delete on timers to ${role};
      revoke create on schema public from public;`);
    try {
      const own = new URL(url);
      [own.username, own.password] = [role, password];
      await using ledger = await openLedger(own.href);
      const [event, other, detection] = [someEvent(), someEvent(), someEvent()];
      await ledger.accept(event);
      await ledger.accept(other);
      expect(await ledger.accept(event)).toMatchObject({ outcome: "duplicate" });
      const timer = { series: "s", group: "g", bucket: 1, endsAt: 0, latenessMs: 0 };
      expect(await ledger.record({ event, ruleSet: "r", detections: [detection], timers: [timer] })).toEqual([
        detection,
      ]);
      const [due] = await ledger.dueTimers({ limit: 1, leaseMs: 0 });
      expect(await ledger.settle({ timer: due!, detections: [] })).toEqual([]);
      await ledger.markEmitted({ events: [other], detections: [detection] });
      expect((await ledger.unstored(anyAge)).map(({ id }) => id)).toContain(detection.id);
      await ledger.markStored([detection]);
      await ledger.markRejected(other, "no");
      const ids: string[] = [];
      for await (const { event } of ledger.replay({ from: 0, to: Infinity })) ids.push(event.id);
      expect(ids).toEqual(expect.arrayContaining([event.id, other.id]));
      expect((await ledger.counts()).accepted).toBeGreaterThan(0);
      expect(await ledger.exclusive(randomUUID(), async () => "held")).toBe("held");
      await ledger.maintain();
      const direct = connect(own.href);
      for (const forbidden of [
        "create table mine (n integer)",
        "delete from events",
        "update events set type = 'x'",
      ]) {
        await expect(direct.unsafe(forbidden)).rejects.toMatchObject({ code: "42501" });
      }
      await direct.end({ timeout: 1 });
    } finally {
      await sql.unsafe(`drop owned by ${role}; drop role ${role};`);
    }
  });

  test("partitions of the months ahead are made when one is missing, by whoever runs the ledger", async () => {
    await using ledger = await openLedger(url);
    const partitions = () => sql<{ name: string; bound: string }[]>`
      select relname as name, pg_get_expr(relpartbound, oid) as bound from pg_class
      where oid in (select inhrelid from pg_inherits where inhparent = 'events'::regclass) order by 1`;
    const before = await partitions();
    expect(before).toHaveLength(4);
    const last = before.findLast(({ bound }) => bound !== "DEFAULT")!;
    await sql`drop table ${sql(last.name)}`;
    await ledger.maintain();
    expect(await partitions()).toEqual(before);
    // Months meet without a gap.
    const bounds = before.flatMap(
      ({ bound }) => /FROM \('(.*)'\) TO \('(.*)'\)/.exec(bound)?.slice(1, 3) ?? [],
    );
    expect(bounds[1]).toBe(bounds[2]);
    expect(bounds[3]).toBe(bounds[4]);
  });

  test("a month that already has events in the default partition is no obstacle", async () => {
    await using database = await openTestDatabase();
    const admin = connect(database.url);
    const [{ name } = { name: "" }] = await admin`
      select relname as name from pg_class
      where oid in (select inhrelid from pg_inherits where inhparent = 'events'::regclass) order by 1 limit 1`;
    await admin`drop table ${admin(name)}`;
    await using ledger = await openLedger(database.url);
    const event = someEvent();
    await ledger.accept(event);
    await ledger.maintain();
    await ledger.maintain();
    expect(await admin`select id from events_default`).toEqual([{ id: event.id }]);
    expect((await ledger.unevaluated(anyAge)).map(({ id }) => id)).toEqual([event.id]);
    await admin.end({ timeout: 1 });
  });

  test("whoever loses the lock's connection is told and does not finish as if it held it", async () => {
    await using ledger = await openLedger(url);
    const name = randomUUID();
    const told = Promise.withResolvers<unknown>();
    const holder = ledger.exclusive(name, async (signal) => {
      signal.addEventListener("abort", () => told.resolve(signal.reason));
      await sql`select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
      await told.promise;
      return "finished";
    });
    await expect(holder).rejects.toThrow(UnavailableError);
    expect(await told.promise).toBeInstanceOf(UnavailableError);
    expect(await ledger.exclusive(name, async () => "next")).toBe("next");
  });

  test("a replay holds no transaction and no connection while its reader thinks", async () => {
    await using ledger = await openLedger(url, { max: 1 });
    const type = `io.test.${randomUUID()}`;
    await Promise.all(Array.from({ length: 450 }, () => ledger.accept(someEvent({ type }))));
    let seen = 0;
    for await (const { event } of ledger.replay({ from: 0, to: Infinity, types: [type] })) {
      if (seen++ % 100 === 0) expect(await ledger.accept(event)).toMatchObject({ outcome: "duplicate" });
    }
    expect(seen).toBe(450);
    expect(
      await sql`select from pg_stat_activity
      where application_name = 'test-ledger' and state like 'idle in transaction%'`,
    ).toHaveLength(0);
  });
});

test("while PostgreSQL is away the ledger says so, and nothing that it acknowledged is missing afterwards", async () => {
  await using server = await openPostgresServer();
  await using ledger = await openLedger(server.url);
  const acknowledged = new Set<string>();
  let refused = 0;
  const stop = new AbortController();
  const client = async () => {
    while (!stop.signal.aborted) {
      const event = someEvent();
      try {
        await ledger.accept(event);
        acknowledged.add(event.id);
      } catch (error) {
        expect(error).toBeInstanceOf(UnavailableError);
        refused++;
        await setTimeout(5);
      }
    }
  };
  const clients = Promise.all(Array.from({ length: 20 }, client));
  const patience = { timeout: 30_000, interval: 5 };
  const progress = (count: () => number, by: number) => {
    const goal = count() + by;
    return vi.waitFor(() => expect(count()).toBeGreaterThan(goal), patience);
  };
  try {
    for (let kills = 1; kills <= 3; kills++) {
      await progress(() => acknowledged.size, 200);
      await server.kill();
      await progress(() => refused, 0);
      await server.start();
    }
    await progress(() => acknowledged.size, 200);
  } finally {
    stop.abort();
  }
  await clients;
  const stored = new Set<string>();
  for await (const { event } of ledger.replay({ from: 0, to: Infinity })) stored.add(event.id);
  expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
  expect((await ledger.counts()).accepted).toBe(stored.size);
});
