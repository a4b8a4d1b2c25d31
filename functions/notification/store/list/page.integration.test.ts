import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../../../test/support/database.ts";
import type { AlertSummary } from "../../alert-view.ts";
import { alerts, now } from "../../query/alerts.testing.ts";
import { parseQuery } from "../../query/query.ts";
import { type AlertReader, createAlertReader } from "./alert-reader.ts";
import { type CountedSql, connectCounted } from "./counted.testing.ts";
import { CursorError } from "../opaque.ts";
import { encodeCursor } from "./cursor.ts";
import { insertEpisodes } from "./episodes.testing.ts";
import { type Sort, sorts } from "./sort.ts";

let database: TestDatabase;
let client: CountedSql;
let reader: AlertReader;
let stored: readonly AlertSummary[] = [];

/** Stored in five months, one of them without a partition, with ties in whatever is sorted by. */
const months = [
  "2026-07-31T23:59:59.999Z",
  "2026-08-01T00:00:00.000Z",
  "2026-09-15T00:00:00.000Z",
  "2026-11-21T00:00:00.000Z",
  "2031-01-01T00:00:00.000Z",
];
const seen = [
  "2026-11-20T00:00:00.000Z",
  "2026-11-20T00:00:00.001Z",
  "0000-01-01T00:00:00.000Z",
  "9999-12-31T23:59:59.999Z",
];

function spread(alert: AlertSummary, index: number): AlertSummary {
  const at = (texts: readonly string[], step: number) => texts[Math.floor(index / step) % texts.length] ?? "";
  return {
    ...alert,
    received_at: at(months, 1),
    last_seen: at(seen, 2),
    timestamp: at(seen, 3),
    status: index % 9 === 0 ? "suppressed" : "open",
  };
}

beforeAll(async () => {
  database = await openTestDatabase();
  client = connectCounted(database.url);
  await client.sql`select notification_ensure_partitions(1, ${months[0] ?? ""}::timestamptz)`;
  stored = fc.sample(alerts, 70).map(spread);
  await insertEpisodes(client.sql, stored);
  const merged = fc.sample(alerts, 5);
  await insertEpisodes(client.sql, merged);
  await client.sql`update episodes set merged_into = ${stored[0]?.alert_id ?? ""}
    where episode_id = any(${`{${merged.map(({ alert_id }) => alert_id).join(",")}}`}::text::uuid[])`;
  reader = createAlertReader(client, () => now);
});
beforeEach(() => {
  client.taken();
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const rank = { INFORMATIONAL: 1, LOW: 2, MEDIUM: 3, HIGH: 4, CRITICAL: 5 } as const;

/** The keys that a row is sorted by, each as a number or text. */
function keysOf(sort: Sort, alert: AlertSummary): readonly (number | string)[] {
  const key = sort.replace("-", "");
  if (key === "severity") return [rank[alert.severity], Date.parse(alert.last_seen), alert.alert_id];
  if (key === "count") return [alert.count, alert.alert_id];
  return [Date.parse(key === "timestamp" ? alert.timestamp : alert.last_seen), alert.alert_id];
}

function compareKeys(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const place = a.findIndex((key, index) => key !== b[index]);
  return place < 0 ? 0 : (a[place] ?? 0) < (b[place] ?? 0) ? -1 : 1;
}

function expected(sort: Sort): readonly string[] {
  const shown = stored.filter(({ status }) => status !== "suppressed");
  const sorted = shown.toSorted((a, b) => compareKeys(keysOf(sort, a), keysOf(sort, b)));
  return (sort.startsWith("-") ? sorted.toReversed() : sorted).map(({ alert_id }) => alert_id);
}

const everything = parseQuery("");

describe("pages", () => {
  test.for(sorts)("by %s follow one another in both directions, and miss and repeat none", async (sort) => {
    const all = expected(sort);
    expect(all.length).toBeGreaterThan(50);
    const pages: (readonly string[])[] = [];
    let cursor: string | undefined;
    let last: string | null = null;
    do {
      const page = await reader.list({ query: everything, sort, limit: 7, cursor });
      expect(page.prev === null).toBe(pages.length === 0);
      expect(pages.length).toBeLessThan(all.length);
      pages.push(page.items.map(({ alert_id }) => alert_id));
      cursor = page.next ?? undefined;
      last = page.prev;
    } while (cursor !== undefined);
    expect(pages.flat()).toEqual(all);
    const back: (readonly string[])[] = [pages.at(-1) ?? []];
    while (last !== null) {
      const page = await reader.list({ query: everything, sort, limit: 7, cursor: last });
      expect(page.next).not.toBeNull();
      back.unshift(page.items.map(({ alert_id }) => alert_id));
      last = page.prev;
    }
    expect(back).toEqual(pages);
    // One statement a page, each beginning at its place.
    const statements = client.taken();
    expect(statements).toHaveLength(pages.length + back.length - 1);
    expect(statements.filter((text) => /\boffset\b/i.test(text))).toEqual([]);
  });

  test("a page shows alerts as they were stored, of any year", async () => {
    const page = await reader.list({ query: everything, sort: "-last_seen", limit: 100, suppressed: true });
    const byId = new Map(page.items.map((item) => [item.alert_id, item]));
    expect(byId.size).toBe(stored.length);
    for (const alert of stored) expect(byId.get(alert.alert_id)).toEqual(alert);
  });

  test("what is suppressed is shown when it is asked for, what was merged never", async () => {
    const count = (query: string, suppressed = false) =>
      reader.count({ query: parseQuery(query), suppressed }, 1000);
    const hidden = stored.filter(({ status }) => status === "suppressed").length;
    expect(await count("")).toEqual({ count: stored.length - hidden, capped: false });
    expect(await count("", true)).toEqual({ count: stored.length, capped: false });
    expect(await count("is:suppressed")).toEqual({ count: hidden, capped: false });
    expect(await count("status:suppressed,open")).toEqual({ count: stored.length, capped: false });
  });

  test("from is included, to is not", async () => {
    const between = (from?: string, to?: string) =>
      reader.count(
        {
          query: everything,
          suppressed: true,
          from: from ? Date.parse(from) : undefined,
          to: to ? Date.parse(to) : undefined,
        },
        1000,
      );
    const of = (text: string | undefined) => stored.filter(({ last_seen }) => last_seen === text).length;
    expect((await between(seen[0], seen[1])).count).toBe(of(seen[0]));
    expect((await between(seen[1])).count).toBe(of(seen[1]) + of(seen[3]));
    expect((await between(undefined, seen[0])).count).toBe(of(seen[2]));
  });

  test("a count stops at its cap", async () => {
    expect(await reader.count({ query: everything }, 10)).toEqual({ count: 10, capped: true });
    const all = expected("timestamp").length;
    expect(await reader.count({ query: everything }, all)).toEqual({ count: all, capped: false });
  });

  test("rows that come in between move nothing", async () => {
    const request = { query: everything, sort: "-timestamp", limit: 10 } as const;
    const first = await reader.list(request);
    const before = await reader.list({ ...request, cursor: first.next ?? "" });
    const late = fc.sample(alerts, 3).map((alert, index) => ({
      ...alert,
      alert_id: `ffffffff-ffff-4fff-bfff-fffffffffff${index}`,
      status: "open" as const,
      timestamp: "9999-12-31T23:59:59.999Z",
    }));
    await insertEpisodes(client.sql, late);
    const after = await reader.list({ ...request, cursor: first.next ?? "" });
    const again = await reader.list(request);
    await client.sql`delete from episodes where episode_id::text like 'ffffffff-ffff-4fff-bfff-fffffffffff_'`;
    expect(after.items).toEqual(before.items);
    expect(again.items.slice(0, 3).map(({ alert_id }) => alert_id)).toEqual(
      late.map(({ alert_id }) => alert_id).toReversed(),
    );
  });
});

describe("a cursor", () => {
  const list = (sort: Sort, cursor: string) => reader.list({ query: everything, sort, limit: 5, cursor });
  const id = "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b";
  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test.for([
    "",
    "x",
    "!!",
    "a".repeat(10_000),
    made(null),
    made([]),
    made({ sort: "-timestamp", to: "next", values: [], id }),
    made({ sort: "-timestamp", to: "next", values: ["1", "2"], id }),
    made({ sort: "-timestamp", to: "next", values: ["1; drop table episodes"], id }),
    made({ sort: "-timestamp", to: "next", values: ["9".repeat(30)], id }),
    made({ sort: "-timestamp", to: "next", values: ["300000000000000000"], id }),
    made({ sort: "-timestamp", to: "next", values: [1], id }),
    made({ sort: "-timestamp", to: "last", values: ["1"], id }),
    made({ sort: "-timestamp", to: "next", values: ["1"], id: "x" }),
    made({ sort: "-timestamp", to: "next", values: ["1"], id, more: 1 }),
    made({ sort: "-rule", to: "next", values: ["1"], id }),
  ])("that no list answered with is refused: %#", async (cursor) => {
    await expect(list("-timestamp", cursor)).rejects.toThrow(CursorError);
    expect(client.taken()).toEqual([]);
  });

  test("is good for its order alone, and for any place", async () => {
    const cursor = (sort: Sort, values: readonly string[]) => encodeCursor(sort, { to: "next", values, id });
    await expect(list("-timestamp", cursor("timestamp", ["1"]))).rejects.toThrow(
      "sorted by timestamp, not by -timestamp",
    );
    for (const value of ["299999999999999999", "-99999999999999999", "0", "-1"]) {
      await list("-timestamp", cursor("-timestamp", [value]));
      await list("-count", cursor("-count", [value]));
      await list("-severity", cursor("-severity", [value, value]));
    }
    expect(client.taken()).toHaveLength(12);
  });
});

test("no statement of a list stays prepared, and no value of a query is in its text", async () => {
  const needles = [
    "zzneedle",
    "zzneedle*",
    '"zzneedle"',
    "actor:zzneedle",
    "tag:zzneedle,b",
    "rule:~zzneedle",
    "ip:zzneedle",
    "data.a:zzneedle",
    "data.zzneedle:1",
    "data.a:~zzneedle",
    "-(zzneedle OR name:zzneedle*)",
    "count:987654321",
    "data.a:>987654321",
    "seen:<987654s",
    "id:*987654321*",
  ];
  for (const text of needles) {
    const query = parseQuery(text);
    await reader.list({ query, sort: "-timestamp", limit: 5 });
    await reader.count({ query }, 5);
    await reader.facets({ query }, ["rule", "tag"], "zzneedle");
    await reader.histogram({ query, buckets: 2 });
  }
  const statements = client.taken();
  expect(statements).toHaveLength(needles.length * 4);
  expect(statements.filter((text) => /zzneedle|98765/.test(text))).toEqual([]);
  const prepared =
    await client.sql`select statement from pg_prepared_statements where statement like '%episodes as episode%'
    and statement not like '%pg_prepared%'`;
  expect(prepared).toEqual([]);
});
