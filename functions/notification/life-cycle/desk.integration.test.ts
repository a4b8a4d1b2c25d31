import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { alertUpdated } from "../../../events/contracts/alert-updated.ts";
import { parseEvent } from "../../../events/envelope.ts";
import { decodeRequest } from "../../../events/http.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { writeAlerts } from "../store/write-alerts.ts";
import { ChangeError } from "./action.ts";
import { createDesk, type Desk } from "./desk.ts";
import { writeChanges } from "./write-changes.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let desk: Desk;
let outboxCalls = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 8, log });
  desk = createDesk({ postgres, now: Date.now, onOutbox: () => (outboxCalls += 1) });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const ana = { type: "user", id: "ana" } as const;
const ben = { type: "user", id: "ben" } as const;

/** Stores alerts of one group whose only evidence is at the given seconds; answers their ids. */
async function storeAlerts(run: string, seconds: readonly (readonly number[])[]): Promise<readonly string[]> {
  const emissions = seconds.map((events, alert) => sightingEmission({ alert, group: 0, events }, run));
  await postgres.transaction((sql) => writeAlerts(sql, emissions));
  return emissions.map(({ alertId }) => alertId);
}

async function storeOne(): Promise<string> {
  const [id] = await storeAlerts(randomUUID(), [[1]]);
  return id!;
}

const historyOf = (ids: readonly string[]) => postgres.sql<
  {
    action: string;
    revision: number;
    actor_id: string;
    reason: string | null;
    before: object;
    after: object;
  }[]
>`
  select action, revision::float8 as revision, actor_id, reason, before, after from alert_changes
  where alert_id in ${postgres.sql(ids)} order by changed_at, revision`;

async function eventsOf(id: string) {
  const rows = await postgres.sql<{ event: object }[]>`
    select event from outbox where event ->> 'subject' = ${id} order by outbox_id`;
  return rows.map(({ event }) => {
    const body = Buffer.from(JSON.stringify(event));
    return parseEvent(
      [alertUpdated],
      decodeRequest({ headers: { "content-type": "application/cloudevents+json" }, body }),
    );
  });
}

describe("a change of one alert", () => {
  test("is one row of history and one event, and raises the revision", async () => {
    const id = await storeOne();
    const calls = outboxCalls;
    const result = await desk.change(id, { action: { action: "acknowledge" }, by: ana, reason: "on it" });
    expect(result).toMatchObject({
      kind: "changed",
      alert: { alert_id: id, status: "acknowledged", revision: 1, first_seen: "2026-11-21T12:00:01.000Z" },
      etag: expect.stringMatching(/^"1\.\d+"$/),
      change: { alert_id: id, revision: 1, action: "acknowledge", changed_by: ana, reason: "on it" },
    });
    expect(outboxCalls).toBe(calls + 1);
    const expected = { before: { status: "open" }, after: { status: "acknowledged" }, reason: "on it" };
    expect(await historyOf([id])).toEqual([
      { action: "acknowledge", revision: 1, actor_id: "ana", ...expected },
    ]);
    const [event, ...others] = await eventsOf(id);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      id: `${id}/1`,
      source: "/auditflow/notification",
      data: { alert_id: id, revision: 1, action: "acknowledge", changed_by: ana, ...expected },
    });
    const [row] = await postgres.sql`
      select worked_at = changed_at as same from episodes join alert_changes on alert_id = episode_id
      where episode_id = ${id}`;
    expect(row).toEqual({ same: true });
  });

  test("that changes nothing leaves no trace", async () => {
    const id = await storeOne();
    await desk.change(id, { action: { action: "assign", assignee: "ana" }, by: ana });
    const calls = outboxCalls;
    const again = await desk.change(id, { action: { action: "assign", assignee: "ana" }, by: ben });
    expect(again).toMatchObject({ kind: "unchanged", alert: { revision: 1, assignee: "ana" } });
    expect(again).not.toHaveProperty("change");
    expect(await historyOf([id])).toHaveLength(1);
    expect(outboxCalls).toBe(calls);
  });

  test("that is not possible is refused with what is", async () => {
    const id = await storeOne();
    await desk.change(id, { action: { action: "resolve", disposition: "benign" }, by: ana });
    expect(await desk.change(id, { action: { action: "acknowledge" }, by: ana })).toEqual({
      kind: "refused",
      status: "resolved",
      action: "acknowledge",
      allowed: ["reopen", "comment"],
    });
    expect(await historyOf([id])).toHaveLength(1);
  });

  test("goes through every action, and history tells the whole way", async () => {
    const id = await storeOne();
    const until = Date.now() + 3_600_000;
    for (const action of [
      { action: "assign", assignee: "ana" },
      { action: "snooze", until },
      { action: "unsnooze" },
      { action: "acknowledge" },
      { action: "unacknowledge" },
      { action: "snooze", until },
      { action: "resolve", disposition: "true_positive" },
      { action: "comment" },
      { action: "reopen" },
    ] as const) {
      expect(await desk.change(id, { action, by: ana, reason: "because" })).toMatchObject({
        kind: "changed",
      });
    }
    const history = await historyOf([id]);
    expect(history.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(history[6]).toMatchObject({
      before: { status: "open", disposition: null, snoozed_until: new Date(until).toISOString() },
      after: { status: "resolved", disposition: "true_positive", snoozed_until: null },
    });
    expect(history[7]).toMatchObject({ action: "comment", reason: "because", before: {}, after: {} });
    expect((await eventsOf(id)).map((event) => event.id)).toEqual(
      history.map(({ revision }) => `${id}/${revision}`),
    );
  });

  test("of an unknown alert, or of what is no id, finds nothing", async () => {
    const change = { action: { action: "acknowledge" }, by: ana } as const;
    expect(await desk.change(randomUUID(), change)).toEqual({ kind: "not-found" });
    expect(await desk.change("no id", change)).toEqual({ kind: "not-found" });
  });

  test("that nobody could make is refused before anything is read", async () => {
    const id = await storeOne();
    await expect(desk.change(id, { action: { action: "comment" }, by: ana })).rejects.toThrow(ChangeError);
  });

  test("under the id of an alert that was joined changes the alert it belongs to", async () => {
    const run = randomUUID();
    const [first, second] = await storeAlerts(run, [
      [1, 3],
      [2, 4],
    ]);
    const result = await desk.change(second!, { action: { action: "acknowledge" }, by: ana });
    expect(result).toMatchObject({
      kind: "changed",
      alert: { alert_id: first },
      change: { alert_id: first },
    });
  });

  test("texts that PostgreSQL cannot hold are made to fit, in history and in the event alike", async () => {
    const id = await storeOne();
    await desk.change(id, { action: { action: "comment" }, by: ana, reason: "a\u0000b\ud800" });
    expect(await historyOf([id])).toMatchObject([{ reason: "a\ufffdb\ufffd" }]);
    expect(await eventsOf(id)).toMatchObject([{ data: { reason: "a\ufffdb\ufffd" } }]);
  });
});

test("what the contract of its event does not allow is written nowhere", async () => {
  const id = await storeOne();
  const change = {
    alertId: id,
    revision: 0,
    action: "comment",
    changedAt: Date.now(),
    by: ana,
    reason: null,
    before: {},
    after: {},
  } as const;
  await expect(postgres.transaction((sql) => writeChanges(sql, [change]))).rejects.toMatchObject({
    code: "EVENT_DATA_INVALID",
  });
  expect(await historyOf([id])).toEqual([]);
  expect(await eventsOf(id)).toEqual([]);
});

describe("two people at once", () => {
  test("with the same revision at hand: exactly one wins, the other is told who did", async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await storeOne();
      const results = await Promise.all(
        [ana, ben].map((by) =>
          desk.change(id, { action: { action: "assign", assignee: by.id }, by }, { ifRevision: 0 }),
        ),
      );
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(["changed", "stale"]);
      const winner = results[0]?.kind === "changed" ? "ana" : "ben";
      expect(results.find(({ kind }) => kind === "stale")).toMatchObject({
        revision: 1,
        last: { changed_by: { id: winner }, after: { assignee: winner } },
      });
      expect(await historyOf([id])).toHaveLength(1);
    }
  });
});
