import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connect, openEmptyDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { rowsFrom, toParameters } from "./rows.ts";

let database: TestDatabase;
let sql: ReturnType<typeof connect>;

beforeAll(async () => {
  database = await openEmptyDatabase();
  sql = connect(database.url);
});
afterAll(async () => {
  await sql.end();
  await database[Symbol.asyncDispose]();
});

const types = { name: "text", count: "bigint", flag: "boolean", data: "jsonb" } as const;

/** What PostgreSQL can hold as it is. */
const storable = fc
  .string({ unit: "binary" })
  .filter((text) => text.isWellFormed() && !text.includes("\u0000"));
const rows = fc.array(
  fc.record({
    name: fc.option(fc.oneof(storable, fc.constantFrom("", "NULL", "{}", 'a"b', "a\\b", "a\nb", "a,b"))),
    count: fc.option(fc.maxSafeInteger()),
    flag: fc.option(fc.boolean()),
    data: fc.option(fc.oneof(fc.dictionary(storable, storable), fc.array(storable))),
  }),
  { minLength: 1, maxLength: 8 },
);

test("rows arrive as they were given, in their order", async () => {
  const text = `
    select name, count::float8 as count, flag, data from ${rowsFrom(types, "given")}`;
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      const read = await sql.unsafe(text, toParameters(types, given));
      expect([...read]).toEqual(given);
    }),
    { numRuns: 300 },
  );
});

test("none are none", async () => {
  expect(await sql.unsafe(`select from ${rowsFrom(types, "given")}`, toParameters(types, []))).toHaveLength(
    0,
  );
});
