import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { toEmission } from "../alert.ts";
import { alertEvent, type Sighting, sightingEmission } from "../emissions.testing.ts";
import { createReader, type Reader } from "./reader.ts";
import { createStore, type Store } from "./store.ts";
import { tellAll } from "./tell-all.testing.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let reader: Reader;
let store: Store;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  reader = createReader(postgres);
  store = createStore({
    postgres,
    metrics: createMetrics("test"),
    tell: tellAll([]),
    onOutbox: () => undefined,
  });
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
  /** The episodes that transactions from this one on wrote. */
  const writtenSince = async (from: string) => {
    const rows = await postgres.sql<{ id: string; merged_into: string | null }[]>`
      select episode_id as id, merged_into from episodes where changed_by >= ${from}::text::xid8`;
    return new Map(rows.map(({ id, merged_into }) => [id, merged_into]));
  };
  const next = async () => {
    const [row] = await postgres.sql<
      { id: string }[]
    >`select pg_snapshot_xmax(pg_current_snapshot())::text as id`;
    return row?.id ?? "";
  };

  test("each episode that begins, grows or is merged is marked with its transaction, and no other", async () => {
    let from = await next();
    const first = await raise("follow", { alert: 1, group: 0, events: [1, 2] });
    const second = await raise("follow", { alert: 2, group: 0, events: [5, 6] });
    expect(await writtenSince(from)).toEqual(
      new Map<string, string | null>([
        [first, null],
        [second, null],
      ]),
    );
    from = await next();
    await raise("follow", { alert: 1, group: 0, events: [1, 2] });
    expect(await writtenSince(from)).toEqual(new Map());
    await raise("follow", { alert: 1, group: 0, events: [1, 2, 3] });
    expect(await writtenSince(from)).toEqual(new Map([[first, null]]));
    await raise("follow", { alert: 3, group: 0, events: [3, 5] });
    expect(await writtenSince(from)).toEqual(
      new Map<string, string | null>([
        [first, null],
        [second, first],
      ]),
    );
  });
});
