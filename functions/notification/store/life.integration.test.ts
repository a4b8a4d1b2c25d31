import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { connect, openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type Sighting, sightingEmission } from "../emissions.testing.ts";
import { createStore, type Store } from "./store.ts";
import { tellAll } from "./tell-all.testing.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let store: Store;
let woken = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 6, log });
  store = createStore({
    postgres,
    metrics: createMetrics("test"),
    tell: tellAll(["console"]),
    onOutbox: () => void woken++,
  });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function raise(name: string, sighting: Omit<Sighting, "group">): Promise<string> {
  const emission = sightingEmission({ ...sighting, group: 0 }, name);
  await store.storeAlert(emission);
  return emission.alertId;
}

/** As people would have, at this second of the sightings' clock. */
async function work(id: string, status: string, second: number): Promise<void> {
  const at = new Date(Date.parse("2026-11-21T12:00:00Z") + second * 1000);
  await postgres.sql`
    update episodes set status = ${status}, revision = revision + 1, worked_at = ${at.toISOString()}::text::timestamptz,
      disposition = case when ${status} = 'resolved' then 'benign' end, assignee = ${`of ${second}`}
    where episode_id = ${id}`;
}

async function episode(id: string) {
  const [row] = await postgres.sql`
    select status, disposition, assignee, revision::integer, merged_into from episodes where episode_id = ${id}`;
  return row;
}

const kinds = async (id: string) =>
  (
    await postgres.sql<{ kind: string }[]>`
      select kind from deliveries where ${id} = any(alert_ids) order by created_at, kind`
  ).map(({ kind }) => kind);

describe("the life cycle of an episode", () => {
  test("survives growth", async () => {
    const id = await raise("grows", { alert: 1, events: [1, 2] });
    await work(id, "acknowledged", 10);
    await raise("grows", { alert: 1, events: [1, 2, 3, 30] });
    expect(await episode(id)).toMatchObject({ status: "acknowledged", assignee: "of 10", revision: 1 });
  });

  test("is that of the one worked on last after a merge, also under another name, and changes add up", async () => {
    const first = await raise("merges", { alert: 1, events: [1, 2] });
    const second = await raise("merges", { alert: 2, events: [8, 9] });
    await work(first, "resolved", 20);
    await work(second, "acknowledged", 21);
    await work(second, "acknowledged", 22);
    await raise("merges", { alert: 3, events: [2, 8] });
    const merged = { status: "acknowledged", assignee: "of 22", revision: 3 };
    expect(await episode(first)).toMatchObject({ ...merged, merged_into: null });
    expect(await episode(second)).toMatchObject({ merged_into: first });
    const named = await raise("merges", { alert: 4, events: [0, 1] });
    expect(await episode(named)).toMatchObject({ ...merged, merged_into: null });
    expect(await kinds(named)).toEqual([]);
  });

  test("numbers its changes on when what it was joined into was forgotten", async () => {
    const forgotten = await raise("forgotten", { alert: 1, events: [1, 2] });
    const left = await raise("forgotten", { alert: 2, events: [8, 9] });
    await work(left, "acknowledged", 20);
    await work(left, "acknowledged", 21);
    await raise("forgotten", { alert: 3, events: [2, 8] });
    expect(await episode(left)).toMatchObject({ merged_into: forgotten });
    await postgres.sql`delete from episodes where episode_id = ${forgotten}`;
    await raise("forgotten", { alert: 2, events: [9, 10] });
    expect(await episode(left)).toMatchObject({ status: "open", revision: 2, merged_into: null });
  });

  test("begins again when a resolved one gets evidence of a later time, and people are told", async () => {
    const id = await raise("reopens", { alert: 1, events: [1, 2] });
    await work(id, "resolved", 10);
    const before = woken;
    await raise("reopens", { alert: 1, events: [1, 2, 3] });
    expect(await episode(id)).toMatchObject({ status: "resolved", revision: 1 });
    expect(woken).toBe(before);
    await raise("reopens", { alert: 2, events: [3, 11] });
    await raise("reopens", { alert: 2, events: [3, 11] });
    expect(await episode(id)).toMatchObject({ status: "open", disposition: null, revision: 2 });
    expect(woken).toBe(before + 1);
    expect(await kinds(id)).toEqual(["raised", "reopened"]);
    const changes = await postgres.sql`
      select revision::integer, action, actor_type, before, after from alert_changes where alert_id = ${id}`;
    expect(changes).toMatchObject([
      {
        revision: 2,
        action: "reopen",
        actor_type: "system",
        before: { status: "resolved", disposition: "benign" },
        after: { status: "open", disposition: null },
      },
    ]);
    const events = await postgres.sql<{ event: unknown }[]>`
      select event from outbox where event ->> 'subject' = ${id}`;
    expect(events).toMatchObject([
      {
        event: { id: `${id}/2`, type: "io.auditflow.alert.updated.v1", data: { alert_id: id, revision: 2 } },
      },
    ]);
  });
});

test("rule set and window are kept", async () => {
  const emission = sightingEmission({ alert: 1, group: 0, events: [1] }, "columns");
  const window = { kind: "sliding", timespan_ms: 300_000 };
  const columns = { ...emission.columns, rule_set: "3f9a", time_window: window };
  await store.storeAlert({ ...emission, columns });
  const [row] = await postgres.sql`
    select rule_set, time_window from alerts where alert_id = ${emission.alertId}`;
  expect(row).toEqual({ rule_set: "3f9a", time_window: window });
});

test("every batch that changes an episode wakes those who follow, and a repeat does not", async () => {
  let heard = 0;
  const listener = connect(database.url);
  try {
    await listener.listen("auditflow_alerts", () => void heard++);
    await raise("wakes", { alert: 1, events: [1, 2] });
    await expect.poll(() => heard).toBe(1);
    await raise("wakes", { alert: 1, events: [1, 2] });
    await raise("wakes", { alert: 1, events: [1, 2, 3] });
    await expect.poll(() => heard).toBe(2);
  } finally {
    await listener.end();
  }
});
