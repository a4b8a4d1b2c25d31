import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { connect, openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { AlertSummary } from "../alert-view.ts";
import { insertEpisodes } from "../store/list/episodes.testing.ts";
import { alerts, now } from "./alerts.testing.ts";
import { matches } from "./predicate.ts";
import { queries } from "./queries.testing.ts";
import { parseQuery } from "./query.ts";
import { toCondition } from "./sql.ts";

let database: TestDatabase;
let sql: ReturnType<typeof connect>;

beforeAll(async () => {
  database = await openTestDatabase();
  sql = connect(database.url);
});
afterAll(async () => {
  await sql.end();
  await database[Symbol.asyncDispose]();
});

async function found(text: string): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select episode_id as id from episodes as episode where ${toCondition(sql, parseQuery(text), now)}`;
  return rows.map(({ id }) => id).toSorted();
}

function expected(text: string, stored: readonly AlertSummary[]): readonly string[] {
  const query = parseQuery(text);
  return stored
    .filter((alert) => matches(query, alert, now))
    .map(({ alert_id }) => alert_id)
    .toSorted();
}

describe("the predicate and the condition", () => {
  test("say the same of every alert", async () => {
    let asked = 0;
    let [some, all] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(alerts, { minLength: 20, maxLength: 30, selector: ({ alert_id }) => alert_id }),
        fc.array(queries, { minLength: 25, maxLength: 25 }),
        async (stored, texts) => {
          await sql`truncate episodes`;
          await insertEpisodes(sql, stored);
          for (const text of texts) {
            const ids = expected(text, stored);
            asked += 1;
            if (ids.length > 0 && ids.length < stored.length) some += 1;
            if (ids.length === stored.length) all += 1;
            expect([text, await found(text)]).toEqual([text, ids]);
          }
        },
      ),
      { numRuns: 24, endOnFailure: true },
    );
    // Most of the queries can tell a mistake: they are neither of all nor of none.
    expect(asked).toBeGreaterThanOrEqual(600);
    expect(some).toBeGreaterThan(asked / 4);
    expect(all).toBeLessThan(asked / 2);
  });
});
