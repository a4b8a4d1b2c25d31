import { randomUUID } from "node:crypto";
import { pino } from "pino";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connect, openTestDatabase } from "../../test/support/database.ts";
import { openPostgres } from "../postgres/postgres.ts";
import type { Ledger } from "./ledger.ts";
import { someEvent } from "./overdue.conformance.ts";
import { openPostgresLedger } from "./postgres.ts";

const log = pino({ level: "silent" });
let url: string;
let sql: postgres.Sql;
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  ({ url } = cleanup.use(await openTestDatabase()));
  sql = cleanup.adopt(connect(url), (client) => client.end({ timeout: 1 }));
});
afterAll(() => cleanup.disposeAsync());

/** A ledger with connections of its own, which it takes along when it goes. */
async function openLedger(max = 2) {
  await using opening = new AsyncDisposableStack();
  const postgres = opening.use(await openPostgres({ max, url, name: "test-timers", log }));
  const ledger = opening.use(openPostgresLedger(postgres, { log }));
  const opened = opening.move();
  return { ...ledger, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test("timers that others are just claiming are left to them, not waited for", async () => {
  await using ledger = await openLedger();
  const event = someEvent();
  await ledger.accept(event);
  const timers = [1, 2].map((bucket) => ({ series: "s", group: "", bucket, endsAt: 0, latenessMs: 0 }));
  await ledger.record({ event, ruleSet: "r", detections: [], timers });
  await sql.begin(async (transaction) => {
    await transaction`select from timers where bucket = 1 for update`;
    const due = await ledger.dueTimers({ limit: 10, leaseMs: 60_000 });
    expect(due.map(({ bucket }) => bucket)).toEqual([2]);
  });
  const rest = await ledger.dueTimers({ limit: 10, leaseMs: 60_000 });
  expect(rest.map(({ bucket }) => bucket)).toEqual([1]);
});

test("events that share timers, on many connections at once, arm each of them once", async () => {
  const series = randomUUID();
  const timers = Array.from({ length: 20 }, (_, bucket) => {
    return { series, group: "g", bucket, endsAt: 0, latenessMs: 0 };
  });
  await using replicas = new AsyncDisposableStack();
  const ledgers: Ledger[] = [];
  for (let n = 0; n < 4; n++) ledgers.push(replicas.use(await openLedger(3)));
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const [event, ledger] = [someEvent(), ledgers[n % 4]!];
      await ledger.accept(event);
      const asked = n % 2 ? timers : timers.toReversed();
      await ledger.record({ event, ruleSet: "r", detections: [], timers: asked });
    }),
  );
  const [row] = await sql`select count(*)::integer as n from timers where series = ${series}`;
  expect(row).toEqual({ n: 20 });
});
