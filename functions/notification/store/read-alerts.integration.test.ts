import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { toEmission } from "../alert.ts";
import { alertEvent, type Sighting, sightingEmission } from "../emissions.testing.ts";
import type { Changes } from "./read-alerts.ts";
import { createReader, type Reader } from "./reader.ts";
import { createStore, type Store } from "./store.ts";
import { tellAll } from "./tell-all.ts";
import { writeAlerts } from "./write-alerts.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let reader: Reader;
let store: Store;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  reader = createReader(postgres);
  store = createStore({ postgres, metrics: createMetrics("test"), tell: tellAll([]), onOutbox: () => undefined });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function raise(name: string, sighting: Sighting): Promise<string> {
  const emission = sightingEmission(sighting, name);
  await store.storeAlert(emission);
  return emission.alertId;
}

describe("reading alerts", () => {
  test("pages of alerts with equal timestamps are stable, newest first, and miss none", async () => {
    const ids = Array.from({ length: 25 }, (_, n) => deriveUuid("page", String(n)));
    const second = (n: number) => String(n % 5).padStart(2, "0");
    const events = ids.map((alert_id, n) =>
      alertEvent({ alert_id, timestamp: `2100-01-01T00:00:${second(n)}Z` }, alert_id),
    );
    await Promise.all(events.map((event) => store.storeAlert(toEmission(event))));
    const pages = await Promise.all(
      [0, 10, 20].map((offset) => reader.listAlerts({ limit: offset === 20 ? 5 : 10, offset })),
    );
    const rows = pages.flat();
    expect(new Set(rows.map(({ alert_id }) => alert_id))).toEqual(new Set(ids));
    const keys = rows.map(({ timestamp, alert_id }) => `${timestamp} ${alert_id}`);
    expect(keys).toEqual(keys.toSorted().toReversed());
  });

  test("any alert of an episode leads to the episode", async () => {
    const first = await raise("leads", { alert: 1, group: 0, events: [1, 2] });
    const second = await raise("leads", { alert: 2, group: 0, events: [5, 6] });
    expect((await reader.findAlert(second))?.alert_id).toBe(second);
    const bridge = await raise("leads", { alert: 3, group: 0, events: [2, 5] });
    const found = await Promise.all([first, second, bridge].map((id) => reader.findAlert(id)));
    expect(found.map((row) => [row?.alert_id, row?.count])).toEqual([
      [first, 4],
      [first, 4],
      [first, 4],
    ]);
    expect(await reader.findAlert(deriveUuid("nobody"))).toBeUndefined();
  });
});

describe("following changes", () => {
  const idsOf = ({ rows }: Changes) => rows.map(({ alert_id }) => alert_id);

  test("each episode that begins, grows or is merged is told once", async () => {
    let cursor = await reader.currentCursor();
    const next = async () => {
      const changes = await reader.readChanges(cursor);
      cursor = changes.cursor;
      return changes;
    };
    const first = await raise("follow", { alert: 1, group: 0, events: [1, 2] });
    const second = await raise("follow", { alert: 2, group: 0, events: [5, 6] });
    expect(idsOf(await next()).toSorted()).toEqual([first, second].toSorted());
    expect(await next()).toMatchObject({ rows: [], merged: [] });
    await raise("follow", { alert: 1, group: 0, events: [1, 2] });
    expect(await next()).toMatchObject({ rows: [], merged: [] });
    await raise("follow", { alert: 3, group: 0, events: [2, 5] });
    expect(await next()).toMatchObject({
      rows: [{ alert_id: first, count: 4 }],
      merged: [{ alert_id: second, merged_into: first }],
    });
  });

  test("a transaction that commits after a later one was read is not missed", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = sightingEmission({ alert: 1, group: 0, events: [1] }, "slow");
    const from = await reader.currentCursor();
    const writing = postgres.transaction(async (sql) => {
      await writeAlerts(sql, [slow]);
      started.resolve();
      await gate.promise;
    });
    await started.promise;
    await raise("quick", { alert: 1, group: 0, events: [1] });
    const during = await reader.readChanges(from);
    gate.resolve();
    await writing;
    const after = await reader.readChanges(during.cursor);
    expect([...idsOf(during), ...idsOf(after)]).toContain(slow.alertId);
  });

  test("far behind it catches up in steps, whole transactions at a time", async () => {
    const from = await reader.currentCursor();
    const emissions = Array.from({ length: 700 }, (_, group) =>
      sightingEmission({ alert: 1, group, events: [1] }, "many"),
    );
    for (const part of [emissions.slice(0, 350), emissions.slice(350)]) {
      await postgres.transaction((sql) => writeAlerts(sql, part));
    }
    await raise("last", { alert: 1, group: 0, events: [1] });
    const one = await reader.readChanges(from);
    const two = await reader.readChanges(one.cursor);
    expect([one.rows.length, two.rows.length]).toEqual([700, 1]);
  });
});
