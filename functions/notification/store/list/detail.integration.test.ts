import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { deriveUuid } from "../../../../events/identity.ts";
import { createLog } from "../../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../../test/support/database.ts";
import { toEmission } from "../../alert.ts";
import { alertEvent, type Sighting, sightingEmission, sightings } from "../../emissions.testing.ts";
import { parseQuery } from "../../query/query.ts";
import { episodesOf } from "../episodes-of.ts";
import { writeAlerts } from "../write-alerts.ts";
import { type AlertReader, createAlertReader } from "./alert-reader.ts";
import { type CountedSql, connectCounted } from "./counted.testing.ts";

let database: TestDatabase;
let postgres: Postgres;
let client: CountedSql;
let reader: AlertReader;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({
    url: database.url,
    name: "test",
    log: createLog({ name: "test", level: "silent" }),
  });
  client = connectCounted(database.url);
  reader = createAlertReader(client);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function raise(run: string, sighting: Sighting): Promise<string> {
  const emission = sightingEmission(sighting, run);
  await postgres.transaction((sql) => writeAlerts(sql, [emission]));
  return emission.alertId;
}

async function tell(alertId: string, channel: string): Promise<void> {
  await client.sql`
    insert into deliveries (delivery_id, alert_ids, channel, kind, message, status, created_at)
    values (${deriveUuid(alertId, channel)}, ${`{${alertId}}`}::text::uuid[], ${channel}, 'raised', '{}', 'muted',
      timestamptz '2026-11-21 12:00:00Z')`;
}

async function change(alertId: string, revision: number): Promise<void> {
  await client.sql`
    insert into alert_changes (change_id, alert_id, revision, action, changed_at, actor_type, actor_id, before, after)
    values (${deriveUuid("change", alertId, String(revision))}, ${alertId}, ${revision}, 'comment',
      timestamptz '2026-11-21 13:00:00Z' + ${revision}::int * interval '1 hour', 'user', 'ann', '{}', '{"note": "x"}')`;
}

test("an alert is told with everything about all that was joined into it, by any of its ids, in one statement", async () => {
  const first = await raise("whole", { alert: 1, group: 0, events: [1, 2] });
  const second = await raise("whole", { alert: 2, group: 0, events: [5, 6] });
  const other = await raise("whole", { alert: 4, group: 0, events: [20] });
  await change(first, 1);
  await change(second, 2);
  await change(other, 1);
  await tell(first, "a");
  await tell(second, "b");
  await tell(other, "c");
  const bridge = await raise("whole", { alert: 3, group: 0, events: [2, 5] });
  for (const id of [first, second, bridge]) {
    client.taken();
    const found = await reader.find(id);
    expect(client.taken()).toHaveLength(1);
    expect(found).toMatchObject({
      alert_id: first,
      count: 4,
      first_seen: "2026-11-21T12:00:01.000Z",
      last_seen: "2026-11-21T12:00:06.000Z",
      timestamp: "2026-11-21T12:00:02.000Z",
      analysis_rule: { rule_id: "ANLY-SEC-001" },
      triggered_by: { actor_id: "root" },
      raw_event_data: { event_type: "user_login" },
      rule_version: "v1",
      tags: ["attack.credential_access"],
    });
    expect(found?.alert_ids[0]).toBe(first);
    expect(new Set(found?.alert_ids)).toEqual(new Set([first, second, bridge]));
    expect(found?.evidence.map((point) => [point.id, point.time])).toEqual(
      [1, 2, 5, 6].map((n) => [`event-${n}`, `2026-11-21T12:00:0${n}.000Z`]),
    );
    const comments = found?.history.filter(({ action }) => action === "comment");
    expect(comments?.map(({ alert_id, revision, changed_at }) => [alert_id, revision, changed_at])).toEqual([
      [first, 1, "2026-11-21T14:00:00.000Z"],
      [second, 2, "2026-11-21T15:00:00.000Z"],
    ]);
    expect(comments?.[0]).toMatchObject({
      changed_by: { type: "user", id: "ann" },
      reason: null,
      after: { note: "x" },
    });
    expect(found?.deliveries).toMatchObject(
      [
        {
          alert_ids: [first],
          channel: "a",
          status: "muted",
          created_at: "2026-11-21T12:00:00.000Z",
          finished_at: null,
        },
        { alert_ids: [second], channel: "b" },
      ].toSorted((a, b) =>
        deriveUuid(a.alert_ids[0] ?? "", a.channel) < deriveUuid(b.alert_ids[0] ?? "", b.channel) ? -1 : 1,
      ),
    );
    expect(found?.etag).toMatch(/^"\d+\.\d+"$/);
  }
  expect((await reader.find(other))?.deliveries).toMatchObject([{ channel: "c" }]);
  expect(await reader.find(deriveUuid("nobody"))).toBeUndefined();
});

test("evidence is cut after the first thousand", async () => {
  const evidence = Array.from({ length: 1100 }, (_, n) => ({
    source: "/many",
    id: `e-${n}`,
    time: new Date(Date.parse("2026-11-20T00:00:00Z") + n).toISOString(),
  }));
  const emission = toEmission(
    alertEvent({ alert_id: deriveUuid("many"), evidence, group_key: "many", rule_version: "v1" }),
  );
  await postgres.transaction((sql) => writeAlerts(sql, [emission]));
  const found = await reader.find(emission.alertId);
  expect([found?.count, found?.evidence.length]).toEqual([1100, 1000]);
  expect(found?.evidence.at(-1)).toEqual(evidence[999]);
});

test("whatever is joined, each id leads to one alert, and lists show those", async () => {
  await fc.assert(
    fc.asyncProperty(sightings, fc.uuid(), async (some, run) => {
      const emissions = some.map((sighting) => sightingEmission(sighting, run));
      for (const emission of emissions) await postgres.transaction((sql) => writeAlerts(sql, [emission]));
      const groups = new Set(emissions.map(({ groupId }) => groupId));
      const wanted = episodesOf(emissions);
      const found = await Promise.all(
        [...new Set(emissions.map(({ alertId }) => alertId))].map((id) => reader.find(id)),
      );
      expect(new Set(found.map((alert) => alert?.alert_id))).toEqual(new Set(wanted.map(({ id }) => id)));
      expect(groups.size).toBeGreaterThan(0);
      const ids = wanted.map(({ id }) => id).join(",");
      const page = await reader.list({ query: parseQuery(`id:${ids}`), sort: "timestamp", limit: 100 });
      expect(new Map(page.items.map(({ alert_id, count }) => [alert_id, count]))).toEqual(
        new Map(wanted.map(({ id, count }) => [id, count])),
      );
      const merged = new Set(found.flatMap((alert) => alert?.alert_ids ?? []));
      expect(merged).toEqual(new Set(emissions.map(({ alertId }) => alertId)));
    }),
    { numRuns: 15 },
  );
});
