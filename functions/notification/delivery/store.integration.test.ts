import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { notificationDelivered } from "../../../events/contracts/notification-delivered.ts";
import { notificationFailed } from "../../../events/contracts/notification-failed.ts";
import { parseEvent } from "../../../events/envelope.ts";
import { fromJson } from "../../../events/http-structured.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { toDeliveryEvent } from "./events.ts";
import type { Outcome } from "./policy.ts";
import { newDeliveries } from "./rows.testing.ts";
import { type Claim, createDeliveryStore, type DeliveryStore, type Ended } from "./store.ts";
import { isFull } from "./sweep.ts";
import { writeDeliveries } from "./write-deliveries.ts";

const log = createLog({ name: "test", level: "silent" });
const patience = { timeout: 30_000 };
let database: TestDatabase;
let postgres: Postgres;
let store: DeliveryStore;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 6, log });
  store = createDeliveryStore(postgres);
});
beforeEach(async () => {
  await postgres.sql`truncate deliveries, delivery_attempts, outbox`;
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const write = (...given: Parameters<typeof newDeliveries>) =>
  writeDeliveries(postgres.sql, newDeliveries(...given));
const claim = (room = 10, leaseMs = 60_000, channel = "webhook") => store.claim([{ channel, room }], leaseMs);

function ended(claimed: Claim, outcome: Outcome): Ended {
  const { id: deliveryId, alertIds, channel, attempt, claimedAt } = claimed;
  const progress = { deliveryId, alertIds, channel, attempt, outcome, endedAt: claimedAt + 5, durationMs: 5 };
  return { claim: claimed, outcome, startedAt: claimedAt, durationMs: 5, event: toDeliveryEvent(progress) };
}
const again = (afterMs = 0): Outcome => ({
  kind: "again",
  code: "CHANNEL_UNAVAILABLE",
  reason: "It answered 503.",
  status: 503,
  afterMs,
});
const failed: Outcome = { kind: "failed", code: "CHANNEL_REFUSED", reason: "Gone.", status: 410 };
const delivered: Outcome = { kind: "delivered", status: 204 };

const rows = () =>
  postgres.sql<{ id: string; status: string; attempts: number; last_error: string | null }[]>`
    select delivery_id as id, status, attempts, last_error from deliveries order by delivery_id`;
const attempts = () =>
  postgres.sql<{ attempt: number; outcome: string; status_code: number; response: string; key: string }[]>`
    select attempt, outcome, status_code, response, idempotency_key as key from delivery_attempts order by 1`;
const events = async () => {
  const found = await postgres.sql<{ event: unknown }[]>`select event from outbox order by outbox_id`;
  return found.map(({ event }) => parseEvent([notificationDelivered, notificationFailed], fromJson(event)));
};

describe("writing deliveries", () => {
  test("an id is written once, in one call, in two, and after the month has turned", async () => {
    const [row] = newDeliveries(1);
    await writeDeliveries(postgres.sql, [row!, row!]);
    await postgres.sql`update deliveries set created_at = created_at - interval '2 months'`;
    await writeDeliveries(postgres.sql, [row!]);
    expect(await rows()).toHaveLength(1);
  });

  test("what is muted is final at once, and never claimed", async () => {
    await write(1, { muted_by: "silence/1" });
    expect(await claim()).toEqual([]);
    const [row] = await postgres.sql`select status, muted_by, finished_at from deliveries`;
    expect(row).toMatchObject({ status: "muted", muted_by: "silence/1", finished_at: expect.any(Date) });
  });

  test("what is due later waits, and its horizon begins then", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1, { due_in_ms: 60_000 }), { horizonMs: 120_000 });
    expect(await claim()).toEqual([]);
    const due = await store.nextDue(["webhook"]);
    expect(due).toBeGreaterThan(50_000);
    expect(due).toBeLessThanOrEqual(60_000);
    const [row] = await postgres.sql`
      select extract(epoch from give_up_at - created_at)::int as seconds from deliveries`;
    expect(row).toEqual({ seconds: 180 });
  });

  test("a thousand deliveries of groups are one statement", async () => {
    const alert_ids = newDeliveries(3).map(({ delivery_id }) => delivery_id);
    await write(1000, { alert_ids });
    const [first] = await claim(1);
    expect(first?.alertIds).toEqual(alert_ids);
  });
});

describe("claiming", () => {
  test("what one worker claims no other gets, however many ask at once", async () => {
    await write(20);
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(5)));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids, ...(await claim(20)).map(({ id }) => id)]).toHaveLength(20);
    expect(await claim(20)).toEqual([]);
  });

  test("each channel gets as many as it has room for, in one statement", async () => {
    await write(5, { channel: "pager" });
    await write(5, { channel: "mail" });
    await write(5, { channel: "chat" });
    const claims = await store.claim(
      [
        { channel: "pager", room: 2 },
        { channel: "mail", room: 9 },
      ],
      60_000,
    );
    const count = (channel: string) => claims.filter((each) => each.channel === channel).length;
    expect([count("pager"), count("mail"), count("chat")]).toEqual([2, 5, 0]);
  });

  test("what waits for one channel is not walked through for another", async () => {
    await write(2000, { channel: "dead" });
    await write(1, { channel: "live" });
    await postgres.sql`analyze deliveries`;
    const plan = await postgres.sql<{ "QUERY PLAN": string }[]>`
      explain (analyze, costs off, timing off)
      select delivery_id from deliveries
      where status = 'pending' and channel = 'live' and due_at <= now() and give_up_at > now()
      order by due_at limit 8`;
    expect(JSON.stringify(plan)).not.toMatch(/Rows Removed by Filter: [1-9]\d\d/);
  });

  test("what a worker that died had claimed is claimed again after its lease, under the same id", async () => {
    await write(1);
    const [first] = await claim(1, 1);
    await expect.poll(() => store.nextDue(["webhook"]), patience).toBe(0);
    const [second] = await claim(1);
    expect(second).toMatchObject({ id: first?.id, createdAt: first?.createdAt, attempt: 2 });
  });

  test("times are the database's", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1), { horizonMs: 100_000 });
    const [row] = await postgres.sql<{ ms: number }[]>`
      select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    const [claimed] = await claim(1);
    expect(claimed!.claimedAt - row!.ms).toBeLessThan(10_000);
    expect(claimed!.claimedAt).toBeGreaterThanOrEqual(row!.ms);
    expect(claimed!.leftMs).toBeGreaterThan(80_000);
    expect(claimed!.leftMs).toBeLessThanOrEqual(100_000);
  });
});

describe("recording", () => {
  test("one attempt is a row, the delivery's new state and an event of its contract", async () => {
    await write(1);
    const [claimed] = await claim(1);
    await store.record([ended(claimed!, again())]);
    expect(await rows()).toMatchObject([{ status: "pending", attempts: 1, last_error: "It answered 503." }]);
    const [second] = await claim(1);
    await store.record([ended(second!, delivered)]);
    expect(await rows()).toMatchObject([{ status: "delivered", attempts: 2, last_error: null }]);
    const id = claimed!.id;
    expect(await attempts()).toEqual([
      { attempt: 1, outcome: "again", status_code: 503, response: "It answered 503.", key: id },
      { attempt: 2, outcome: "delivered", status_code: 204, response: null, key: id },
    ]);
    const told = await events();
    expect(told.map(({ type, id, subject }) => [type, id, subject])).toEqual([
      [notificationFailed.type, `${id}/1`, claimed!.alertIds[0]],
      [notificationDelivered.type, `${id}/2`, claimed!.alertIds[0]],
    ]);
    expect(told[0]?.data).toMatchObject({
      code: "CHANNEL_UNAVAILABLE",
      status: 503,
      final: false,
      attempt: 1,
    });
  });

  test("written twice, because an answer was lost, it counts once", async () => {
    await write(1);
    const [claimed] = await claim(1);
    const attempt = ended(claimed!, again(60_000));
    await store.record([attempt]);
    await store.record([attempt]);
    expect(await attempts()).toHaveLength(1);
    expect(await events()).toHaveLength(1);
  });

  test("all of it or nothing", async () => {
    await write(1);
    const [claimed] = await claim(1);
    const broken = { ...ended(claimed!, delivered), durationMs: Number.NaN };
    await expect(store.record([broken])).rejects.toThrow("not-null");
    expect(await attempts()).toEqual([]);
    expect(await events()).toEqual([]);
    expect(await rows()).toMatchObject([{ status: "pending" }]);
  });

  test.for<[string, Outcome]>([
    ["tries again later", again(0)],
    ["was refused", failed],
  ])("a worker that lost its lease and %s changes nothing, and its attempt is kept", async ([, late]) => {
    await write(1);
    const [first] = await claim(1, 1);
    await expect.poll(() => store.nextDue(["webhook"]), patience).toBe(0);
    await claim(1);
    await store.record([ended(first!, late)]);
    expect(await rows()).toMatchObject([{ status: "pending", attempts: 2, last_error: null }]);
    expect(await claim(1)).toEqual([]);
    expect(await attempts()).toHaveLength(1);
    expect(await events()).toEqual([]);
  });

  test("what arrived counts, whoever holds the lease and whatever was decided since", async () => {
    await write(1);
    const [first] = await claim(1, 1);
    await expect.poll(() => store.nextDue(["webhook"]), patience).toBe(0);
    const [second] = await claim(1);
    await store.record([ended(second!, failed)]);
    await store.record([ended(first!, delivered)]);
    expect(await rows()).toMatchObject([{ status: "delivered", last_error: null }]);
    expect((await events()).map(({ type }) => type)).toEqual([
      notificationFailed.type,
      notificationDelivered.type,
    ]);
  });

  test("a hundred attempts are one statement, also with texts PostgreSQL cannot keep", async () => {
    await write(100);
    const claims = await claim(100);
    const odd: Outcome = { ...failed, reason: "a\u0000b\ud800", response: "\u0000\udfff" };
    await store.record(claims.map((claimed) => ended(claimed, odd)));
    expect((await rows()).every(({ status }) => status === "failed")).toBe(true);
    expect(await attempts()).toHaveLength(100);
  });
});

describe("putting off and giving up", () => {
  test("a channel is put off in one statement, without an attempt, and not beyond the horizon", async () => {
    await write(50);
    await writeDeliveries(postgres.sql, newDeliveries(1, { run: "short" }), { horizonMs: 5000 });
    await write(1, { channel: "other" });
    expect(await store.putOff("webhook", 60_000)).toBe(51);
    expect(await claim()).toEqual([]);
    expect(await store.nextDue(["webhook"])).toBeLessThanOrEqual(5000);
    expect(await store.nextDue(["other"])).toBe(0);
    expect((await rows()).every(({ attempts: made }) => made === 0)).toBe(true);
    expect(await store.putOff("webhook", 1000)).toBe(0);
  });

  test("beyond its horizon nothing is claimed: it is a dead letter, and an event says so", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1), { horizonMs: 0 });
    await write(1, { channel: "other" });
    expect(await claim()).toEqual([]);
    await expect
      .poll(async () => (await store.sweep(["webhook", "other"])).givenUp, patience)
      .toMatchObject([{ channel: "webhook", reason: "It could not be delivered in time." }]);
    expect((await rows()).map(({ status }) => status).toSorted()).toEqual(["failed", "pending"]);
    const [event] = await events();
    expect(event?.data).toMatchObject({ code: "DELIVERY_EXPIRED", final: true, channel: "webhook" });
    expect(await store.sweep(["webhook", "other"])).toEqual({ givenUp: [], stranded: 0 });
  });

  test("one that no event can tell of is given up all the same, and keeps no other one", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1, { channel: "" }), { horizonMs: 0 });
    await writeDeliveries(postgres.sql, newDeliveries(1), { horizonMs: 0 });
    const { givenUp } = await store.sweep(["webhook"]);
    expect(givenUp).toHaveLength(2);
    expect(givenUp.filter(({ untold }) => untold !== undefined)).toMatchObject([{ channel: "" }]);
    expect((await rows()).every(({ status }) => status === "failed")).toBe(true);
    expect((await events()).map(({ data }) => data)).toMatchObject([{ channel: "webhook" }]);
  });

  test("very many are given up page by page, and a full page says that there may be more", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1001), { horizonMs: 0 });
    const first = await store.sweep(["webhook"]);
    expect([first.givenUp.length, isFull(first)]).toEqual([1000, true]);
    const second = await store.sweep(["webhook"]);
    expect([second.givenUp.length, isFull(second)]).toEqual([1, false]);
    await write(1001, { channel: "gone" });
    const third = await store.sweep(["webhook"]);
    expect([third.stranded, isFull(third)]).toEqual([1000, true]);
  });

  test("what is under way is not given up before its lease ends", async () => {
    await writeDeliveries(postgres.sql, newDeliveries(1), { horizonMs: 2000 });
    expect(await claim(1)).toHaveLength(1);
    await postgres.sql`update deliveries set give_up_at = now()`;
    expect((await store.sweep(["webhook"])).givenUp).toEqual([]);
  });

  test("what waits for a channel that is gone says so, until it is back or too late", async () => {
    await write(3, { channel: "gone" });
    expect(await store.sweep(["webhook"])).toEqual({ givenUp: [], stranded: 3 });
    expect(await store.sweep(["webhook"])).toEqual({ givenUp: [], stranded: 0 });
    expect((await rows()).map(({ last_error }) => last_error)).toEqual(
      ["a", "b", "c"].map(() => "There is no channel named gone."),
    );
    expect(await claim(3, 60_000, "gone")).toHaveLength(3);
  });

  test("a test message tells of no alert, so no event tells of it", async () => {
    await write(1, { alert_ids: [] });
    const [claimed] = await claim(1);
    await store.record([ended(claimed!, delivered)]);
    expect(await events()).toEqual([]);
    expect(await attempts()).toHaveLength(1);
  });
});
