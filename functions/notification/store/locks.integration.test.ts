import { afterAll, beforeAll, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { Emission } from "../alert.ts";
import { fromUndeliverable } from "../dead-letters/dead-letter.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { writeAlerts } from "./write-alerts.ts";
import { writeDeadLetters } from "./write-dead-letters.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 6, log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test("an alert id that comes from two groups at once belongs to one of them", async () => {
  const emissions = Array.from({ length: 20 }, (_, n) => {
    const first = sightingEmission({ alert: n, group: 0, events: [n * 10] }, "at once");
    const other = sightingEmission({ alert: n, group: 1, events: [n * 10] }, "at once");
    return [first, { ...other, alertId: first.alertId }];
  });
  const write = (emission: Emission) => postgres.transaction((sql) => writeAlerts(sql, [emission]));
  const written = await Promise.all(emissions.flat().map(write));
  expect(written.filter(({ outcomes }) => outcomes[0] === "stored")).toHaveLength(20);
  expect(written.filter(({ outcomes }) => outcomes[0] === "conflict")).toHaveLength(20);
  expect(await postgres.sql`select from alerts`).toHaveLength(20);
});

test("a dead letter that comes twice at once is kept once, and one that was replayed is open again", async () => {
  const letter = fromUndeliverable({}, Buffer.from("a letter"));
  const write = () => postgres.transaction((sql) => writeDeadLetters(sql, [letter]));
  const written = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const first = postgres.transaction(async (sql) => {
    await writeDeadLetters(sql, [letter]);
    written.resolve();
    await gate.promise;
  });
  await written.promise;
  let isDone = false;
  const second = write().finally(() => (isDone = true));
  const isWaiting = async () =>
    isDone ||
    (await postgres.sql`select from pg_locks where locktype = 'advisory' and not granted`).length > 0;
  await expect.poll(isWaiting, { timeout: 20_000 }).toBe(true);
  gate.resolve();
  await Promise.all([first, second]);
  expect(await postgres.sql`select from dead_letters`).toHaveLength(1);
  await postgres.sql`update dead_letters set status = 'replayed'`;
  await write();
  expect(await postgres.sql`select status from dead_letters`).toEqual([{ status: "open" }]);
});
