import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestDatabase, type TestDatabase } from "../../../../test/support/database.ts";
import type { AlertSummary } from "../../alert-view.ts";
import { alerts, now } from "../../query/alerts.testing.ts";
import { matches } from "../../query/predicate.ts";
import { parseQuery } from "../../query/query.ts";
import { type AlertReader, createAlertReader } from "./alert-reader.ts";
import { type CountedSql, connectCounted } from "./counted.testing.ts";
import { insertEpisodes, insertPlain } from "./episodes.testing.ts";
import { type FacetKey, facetKeys } from "./facets.ts";

let database: TestDatabase;
let client: CountedSql;
let reader: AlertReader;
let stored: readonly AlertSummary[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  client = connectCounted(database.url);
  stored = fc.sample(alerts, 60);
  await insertEpisodes(client.sql, stored);
  reader = createAlertReader(client, () => now);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const fields = {
  severity: "severity",
  status: "status",
  rule: "rule_id",
  actor: "actor_id",
  host: "server_hostname",
  type: "alert_type",
  source: "source_service_name",
  assignee: "assignee",
  tag: "tags",
} as const;

/** How often each value occurs, counted by hand; null last of equals, as the database has it. */
function counted(key: FacetKey, some: readonly AlertSummary[]): ReadonlyMap<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const alert of some) {
    const value = alert[fields[key]];
    const values = Array.isArray(value) ? new Set<string>(value) : [value as string | null];
    for (const each of values) counts.set(each, (counts.get(each) ?? 0) + 1);
  }
  return counts;
}

describe("facets", () => {
  test.for(["", "severity:>=medium", "-actor:root", "is:open,suppressed"])(
    "of %s are what there is, the most frequent first",
    async (text) => {
      const query = parseQuery(text);
      const shown = stored.filter((alert) => matches(query, alert, now));
      client.taken();
      const { facets, examined, capped } = await reader.facets({ query, suppressed: true }, facetKeys);
      expect(client.taken()).toHaveLength(1);
      expect([examined, capped]).toEqual([shown.length, false]);
      for (const key of facetKeys) {
        const told = facets[key] ?? [];
        const all = counted(key, shown);
        expect(told).toHaveLength(Math.min(all.size, 50));
        for (const { value, count } of told)
          expect([key, value, count]).toEqual([key, value, all.get(value)]);
        const counts = told.map(({ count }) => count);
        expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      }
    },
  );

  test("begin as asked, whatever the case, and `%` stands for itself", async () => {
    const begin = async (key: FacetKey, prefix: string) => {
      const { facets } = await reader.facets({ query: parseQuery(""), suppressed: true }, [key], prefix);
      return facets[key]?.map(({ value }) => value) ?? [];
    };
    expect((await begin("type", "sec")).concat(await begin("type", "COMP"))).toEqual([
      "SECURITY",
      "Compliance",
    ]);
    expect(await begin("type", "%")).toEqual([]);
    expect(await begin("actor", "ro")).not.toContain(null);
    expect(await begin("severity", "c")).toEqual(
      stored.some(({ severity }) => severity === "CRITICAL") ? ["CRITICAL"] : [],
    );
  });

  test("of no key are none", async () => {
    expect((await reader.facets({ query: parseQuery("") }, [])).facets).toEqual({});
  });
});

describe("a histogram", () => {
  test.for([1, 7, 60])("in %i parts counts each alert once, in its time", async (buckets) => {
    const [from, to] = [now - 3_700_000, now + 10];
    const query = parseQuery("count:<1000");
    client.taken();
    const histogram = await reader.histogram({ query, buckets, from, to, suppressed: true });
    expect(client.taken()).toHaveLength(1);
    const shown = stored.filter((alert) => {
      const at = Date.parse(alert.last_seen);
      return matches(query, alert, now) && at >= from && at < to;
    });
    expect(histogram.examined).toBe(shown.length);
    expect(histogram.buckets.length).toBeLessThanOrEqual(buckets);
    for (const { start, count, severities } of histogram.buckets) {
      const begin = Date.parse(start);
      const own = shown.filter(({ last_seen }) => {
        const at = Date.parse(last_seen);
        return at >= begin && at < begin + histogram.bucket_ms;
      });
      expect([start, count, severities]).toEqual([
        start,
        own.length,
        Object.fromEntries(counted("severity", own)),
      ]);
    }
    expect(histogram.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(shown.length);
    const last = Date.parse(histogram.buckets.at(-1)?.start ?? "");
    expect(last < to && last + histogram.bucket_ms >= to).toBe(true);
  });

  test("without a range spans what was found, however far apart; of nothing it is empty", async () => {
    const all = await reader.histogram({ query: parseQuery(""), buckets: 10, suppressed: true });
    expect(all.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(stored.length);
    expect(await reader.histogram({ query: parseQuery("count:777"), buckets: 10 })).toEqual({
      bucket_ms: 0,
      buckets: [],
      examined: 0,
      capped: false,
    });
    const none = await reader.histogram({ query: parseQuery("count:777"), buckets: 4, from: 0, to: 4000 });
    expect(none.buckets.map(({ start, count }) => [Date.parse(start), count])).toEqual([
      [0, 0],
      [1000, 0],
      [2000, 0],
      [3000, 0],
    ]);
  });
});

test("beyond ten thousand facets are of the newest, and say so", async () => {
  await using large = await openTestDatabase();
  await using connection = connectCounted(large.url);
  await insertPlain(connection.sql, 10_050);
  const some = createAlertReader(connection);
  const { facets, examined, capped } = await some.facets({ query: parseQuery("") }, ["status"]);
  expect([examined, capped]).toEqual([10_000, true]);
  expect(facets.status?.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
  const exact = await some.facets({ query: parseQuery("rule:rule-1") }, ["status"]);
  expect(exact.capped).toBe(false);
});
