import { afterAll, beforeAll, expect, test } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../../../test/support/database.ts";
import { parseQuery } from "../../query/query.ts";
import { type AlertReader, createAlertReader } from "./alert-reader.ts";
import { type CountedSql, connectCounted } from "./counted.testing.ts";
import { insertPlain } from "./episodes.testing.ts";

let database: TestDatabase;
let client: CountedSql;
let reader: AlertReader;
const total = 1230;

beforeAll(async () => {
  database = await openTestDatabase();
  client = connectCounted(database.url);
  await insertPlain(client.sql, total);
  reader = createAlertReader(client);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const request = { query: parseQuery("data.event_type:user_login"), sort: "-severity" } as const;

async function collect<T>(batches: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

test("an export reads all that matches in batches, each begun where the last one ended", async () => {
  client.taken();
  const batches = await collect(reader.rows(request));
  expect(batches.map(({ length }) => length)).toEqual([500, 500, 230]);
  expect(new Set(batches.flat().map(({ alert_id }) => alert_id)).size).toBe(total);
  const statements = client.taken();
  expect(statements).toHaveLength(3);
  expect(statements.filter((text) => /\boffset\b/i.test(text))).toEqual([]);
  const page = await reader.list({ ...request, limit: 1000 });
  expect(batches.flat().slice(0, 1000)).toEqual(page.items);
});

test("with everything about each it takes two statements a batch", async () => {
  const some = { ...request, query: parseQuery("severity:>=high") };
  const { count } = await reader.count({ query: some.query }, total);
  client.taken();
  const batches = await collect(reader.details(some));
  expect(batches.flat()).toHaveLength(count);
  expect(client.taken()).toHaveLength(2 * Math.ceil(count / 100));
  const [first] = batches.flat();
  expect(first).toEqual(await reader.find(first?.alert_id ?? ""));
  const page = await reader.list({ ...some, limit: 1000 });
  expect(batches.flat().map(({ alert_id }) => alert_id)).toEqual(page.items.map(({ alert_id }) => alert_id));
});

test("a consumer that has enough ends it", async () => {
  client.taken();
  for await (const batch of reader.rows(request)) {
    expect(batch).toHaveLength(500);
    break;
  }
  expect(client.taken()).toHaveLength(1);
});

test("of nothing it is empty", async () => {
  expect(await collect(reader.rows({ ...request, query: parseQuery("rule:none") }))).toEqual([]);
  expect(await collect(reader.details({ ...request, query: parseQuery("rule:none") }))).toEqual([]);
});
