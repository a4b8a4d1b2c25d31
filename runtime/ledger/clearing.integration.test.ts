import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openPostgres, type Postgres } from "../postgres/postgres.ts";
import type { Ledger } from "./ledger.ts";
import { clearRejected, clearStored } from "./marks.ts";
import { anyAge, someEvent } from "./overdue.conformance.ts";
import { openPostgresLedger } from "./postgres.ts";
import { digestOf } from "./stored-event.ts";

const log = pino({ level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let ledger: Ledger & AsyncDisposable;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  ledger = openPostgresLedger(postgres, { log });
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const digested = (event: ReturnType<typeof someEvent>) => ({ event, digest: digestOf(event) });

/** Fails unless every accepted event is counted in exactly one way. */
async function countsThatAddUp() {
  const counts = await ledger.counts();
  expect(counts.accepted).toBe(counts.evaluated + counts.rejected + counts.pending);
  return counts;
}

test("a rejected event whose rejection is cleared is pending, once, and may be judged either way", async () => {
  const [good, bad] = [someEvent(), someEvent()];
  for (const event of [good, bad]) {
    await ledger.accept(event);
    await ledger.markRejected(event, "no");
  }
  const before = await countsThatAddUp();
  await clearRejected(postgres.sql, [good, bad].map(digested));
  await clearRejected(postgres.sql, [good, bad].map(digested));
  expect(await countsThatAddUp()).toEqual({
    ...before,
    rejected: before.rejected - 2,
    pending: before.pending + 2,
  });
  const ids = (await ledger.unevaluated(anyAge)).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining([good.id, bad.id]));
  await ledger.record({ event: good, ruleSet: "r", detections: [] });
  await ledger.markRejected(bad, "still no");
  expect(await countsThatAddUp()).toEqual({
    ...before,
    rejected: before.rejected - 1,
    evaluated: before.evaluated + 1,
  });
});

test("what was evaluated, is pending or holds other bytes stays as it is", async () => {
  const [evaluated, pending, rejected] = [someEvent(), someEvent(), someEvent()];
  for (const event of [evaluated, pending, rejected]) await ledger.accept(event);
  await ledger.record({ event: evaluated, ruleSet: "r", detections: [] });
  await ledger.markRejected(rejected, "no");
  const before = await countsThatAddUp();
  const other = { event: rejected, digest: digestOf({ ...rejected, data: "other" }) };
  await clearRejected(postgres.sql, [digested(evaluated), digested(pending), other]);
  expect(await countsThatAddUp()).toEqual(before);
});

test("a detection that was marked as stored is unstored again, if it is that very one", async () => {
  const [cause, alert] = [someEvent(), someEvent()];
  await ledger.accept(cause);
  await ledger.record({ event: cause, ruleSet: "r", detections: [alert] });
  await ledger.markStored([alert]);
  const unstored = async () => (await ledger.unstored(anyAge)).map(({ id }) => id);
  await clearStored(postgres.sql, [{ event: alert, digest: digestOf({ ...alert, data: "other" }) }]);
  expect(await unstored()).not.toContain(alert.id);
  await clearStored(postgres.sql, [digested(alert)]);
  expect(await unstored()).toContain(alert.id);
});
