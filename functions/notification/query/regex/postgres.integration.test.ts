import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { connect, openEmptyDatabase, type TestDatabase } from "../../../../test/support/database.ts";
import { foldCase } from "../pattern.ts";
import { type CommonRegex, toCommonRegex } from "./common.ts";
import { expressions, texts } from "./expressions.testing.ts";

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

async function found({ postgres }: CommonRegex, all: readonly string[]): Promise<readonly boolean[]> {
  const rows = await sql<{ found: boolean }[]>`
    select lower(value collate "C") ~ ${postgres} as found
    from jsonb_array_elements_text(${JSON.stringify(all)}::text::jsonb) with ordinality as item (value, place)
    order by place`;
  return rows.map((row) => row.found);
}

const awkward = ["\u212a", "ſ", "É", "é", "İ", "😀", "a😀b", "\u00a0", "\u2028", "\v", "\r\n", "ß", "٣"];

describe("PostgreSQL", () => {
  test("finds what RE2 finds, also beyond ASCII", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(expressions, fc.boolean()), { minLength: 20, maxLength: 20 }),
        fc.array(texts, { minLength: 12, maxLength: 12 }),
        async (sources, some) => {
          const all = [...some, ...awkward];
          for (const [source, whole] of sources) {
            const common = readable(source, whole);
            if (!common) continue;
            const re2 = RE2JS.compile(common.re2);
            const expected = all.map((text) => re2.test(foldCase(text)));
            expect([source, await found(common, all)]).toEqual([source, expected]);
          }
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  });

  test.for([
    "(a+)+$",
    "((a*)*)*b",
    "(a|a)*b",
    "(a|aa)+$",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
    "(a?){40}a{40}b",
    "((a{0,9}){0,5}){0,5}b",
    "(x+x+)+y",
    "([a-z]{1,9}|[^b]{1,9}){1,40}!",
    "(|a|b|(c|)*)*(d|)*z",
    ".{255}.{255}.{255}!",
    "[^a]{0,90}([ab]{0,90}|[bc]{0,90})x",
  ])("does not run away with %s", async (source) => {
    const common = toCommonRegex(source, { whole: false, isFolded: true });
    const hostile = [`${"a".repeat(20_000)}!`, "ab".repeat(10_000), "x".repeat(20_000)];
    // A server that took longer would fail the statement.
    await sql.begin(async (transaction) => {
      await transaction`set local statement_timeout = '20s'`;
      const rows = await transaction`
        select value ~ ${common.postgres} as found
        from jsonb_array_elements_text(${JSON.stringify(hostile)}::text::jsonb) as value`;
      expect(rows).toHaveLength(3);
    });
  });
});

function readable(source: string, whole: boolean): CommonRegex | undefined {
  try {
    return toCommonRegex(source, { whole, isFolded: true });
  } catch {
    return undefined;
  }
}
