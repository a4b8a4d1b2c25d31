import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { DeliveryView } from "../alert-view.ts";
import { countStatements } from "./count-statements.testing.ts";
import { CursorError } from "../store/opaque.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { newDeliveries } from "./rows.testing.ts";
import { createDeliveryStore } from "./store.ts";
import { writeDeliveries } from "./write-deliveries.ts";

const log = createLog({ name: "test", level: "silent" });
const wish = { by: "ana", reason: "The receiver was repaired." };
const woken = { times: 0 };
let database: TestDatabase;
let postgres: Postgres;
let counted: ReturnType<typeof countStatements>;
let deliveries: Deliveries;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 2, log });
  counted = countStatements(postgres);
  const channels = new Map([["webhook", { name: "webhook", type: "webhook", send: async () => ({}) }]]);
  deliveries = createDeliveries({
    postgres: counted.postgres,
    channels: () => channels,
    wake: () => (woken.times += 1),
    newId: randomUUID,
    now: () => Date.parse("2026-11-21T12:00:00Z"),
    log,
    horizonMs: 3_600_000,
  });
});
beforeEach(async () => {
  woken.times = 0;
  await postgres.sql`truncate deliveries, delivery_attempts, outbox`;
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function write(status: DeliveryView["status"], ...given: Parameters<typeof newDeliveries>) {
  const rows = newDeliveries(...given);
  await writeDeliveries(postgres.sql, rows);
  const ids = JSON.stringify(rows.map(({ delivery_id }) => delivery_id));
  await postgres.sql`
    update deliveries set status = ${status}, attempts = 3, last_error = 'It answered 500.',
      finished_at = case when ${status} = 'pending' then null else now() end,
      muted_by = case when ${status} = 'muted' then 'silence/1' end
    where delivery_id in (select jsonb_array_elements_text(${ids}::text::jsonb)::uuid)`;
  return rows.map(({ delivery_id }) => delivery_id);
}

describe("the list", () => {
  test("every delivery is on exactly one page, the newest first, also when many were written at once", async () => {
    await write("pending", 25);
    await write("delivered", 8, { run: "later" });
    const seen: DeliveryView[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await deliveries.list({ limit: 4, ...(cursor && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    expect(new Set(seen.map(({ delivery_id }) => delivery_id)).size).toBe(33);
    expect(seen).toHaveLength(33);
    expect(seen.slice(0, 8).map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => "delivered"),
    );
  });

  test("filters by status, channel and alert, in one statement", async () => {
    const [failed] = await write("failed", 3);
    await write("delivered", 3, { channel: "other" });
    const before = counted.count();
    const { items } = await deliveries.list({ status: "failed", limit: 10 });
    expect(counted.count() - before).toBe(1);
    expect(items).toHaveLength(3);
    expect((await deliveries.list({ channel: "other", limit: 10 })).items).toHaveLength(3);
    const one = items.find(({ delivery_id }) => delivery_id === failed);
    const found = await deliveries.list({ alertId: one!.alert_ids[0]!, channel: "webhook", limit: 10 });
    expect(found).toEqual({ items: [one], next: null });
    expect(one).toEqual({
      delivery_id: failed,
      alert_ids: newDeliveries(1)[0]?.alert_ids,
      channel: "webhook",
      kind: "raised",
      route: null,
      status: "failed",
      muted_by: null,
      attempts: 3,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      due_at: expect.any(String),
      finished_at: expect.any(String),
      last_error: "It answered 500.",
    });
  });

  test.for(["", "x", "e30", Buffer.from('{"at":"yesterday","id":"1"}').toString("base64url")])(
    "a cursor like '%s' is refused",
    async (cursor) => {
      await expect(deliveries.list({ limit: 1, cursor })).rejects.toThrow(CursorError);
    },
  );
});

describe("one delivery", () => {
  test("comes with its message and attempts, in two statements", async () => {
    const [id] = await write("pending", 1);
    const store = createDeliveryStore(postgres);
    const [claim] = await store.claim([{ channel: "webhook", room: 1 }], 1000);
    const outcome = { kind: "delivered", status: 204, response: "ok" } as const;
    await store.record([
      { claim: claim!, outcome, startedAt: claim!.claimedAt, durationMs: 1.5, event: undefined },
    ]);
    const before = counted.count();
    const found = await deliveries.find(id!);
    expect(counted.count() - before).toBe(2);
    expect(found).toMatchObject({
      delivery_id: id,
      message: newDeliveries(1)[0]?.message,
      attempt_history: [
        {
          attempt: 4,
          started_at: new Date(claim!.claimedAt).toISOString(),
          duration_ms: 1.5,
          outcome: "delivered",
          status_code: 204,
          response: "ok",
          idempotency_key: id,
        },
      ],
    });
    expect(await deliveries.find(randomUUID())).toBeUndefined();
  });
});

describe("sending again", () => {
  test.for(["failed", "discarded", "muted"] as const)(
    "one that is %s goes under its own id",
    async (status) => {
      const [id] = await write(status, 1);
      const result = await deliveries.resend(id!, wish);
      expect(result).toMatchObject({
        kind: "changed",
        delivery: { delivery_id: id, status: "pending", muted_by: null, last_error: null, finished_at: null },
      });
      expect(woken.times).toBe(1);
      const [claim] = await createDeliveryStore(postgres).claim([{ channel: "webhook", room: 1 }], 1000);
      expect(claim).toMatchObject({ id, attempt: 4 });
      expect(claim?.leftMs).toBeLessThanOrEqual(3_600_000);
    },
  );

  test("one that was delivered goes as a new delivery that says the same", async () => {
    const [id] = await write("delivered", 1);
    const result = await deliveries.resend(id!, wish);
    if (result.kind !== "changed") throw new Error(result.kind);
    expect(result.delivery).toMatchObject({ kind: "resent", status: "pending", attempts: 0 });
    expect(result.delivery.delivery_id).not.toBe(id);
    const [before, after] = [await deliveries.find(id!), await deliveries.find(result.delivery.delivery_id)];
    expect(before?.status).toBe("delivered");
    expect(after).toMatchObject({ message: before?.message, alert_ids: before?.alert_ids });
  });

  test("one that is on its way is left alone, and what is not there is not found", async () => {
    const [id] = await write("pending", 1);
    expect(await deliveries.resend(id!, wish)).toMatchObject({
      kind: "unchanged",
      delivery: { attempts: 3 },
    });
    expect(await deliveries.resend(randomUUID(), wish)).toEqual({ kind: "not-found" });
    expect(woken.times).toBe(0);
  });

  test("all that failed on a channel goes again, in portions", async () => {
    await write("failed", 30);
    await write("failed", 5, { channel: "other" });
    const before = counted.count();
    expect(await deliveries.redrive("webhook", { ...wish, max: 20 })).toEqual({ redriven: 20, more: true });
    expect(counted.count() - before).toBe(2);
    expect(await deliveries.redrive("webhook", { ...wish, max: 20 })).toEqual({ redriven: 10, more: false });
    expect(await deliveries.redrive("webhook", wish)).toEqual({ redriven: 0, more: false });
    expect(woken.times).toBe(2);
    expect((await deliveries.list({ status: "failed", limit: 100 })).items).toHaveLength(5);
  });
});

describe("giving up", () => {
  test.for([
    ["pending", "changed"],
    ["failed", "changed"],
    ["muted", "changed"],
    ["discarded", "unchanged"],
    ["delivered", "refused"],
  ] as const)("discarding one that is %s: %s", async ([status, kind]) => {
    const [id] = await write(status, 1);
    const result = await deliveries.discard(id!, wish);
    const becomes = status === "delivered" ? "delivered" : "discarded";
    expect(result).toMatchObject({ kind, delivery: { delivery_id: id, status: becomes } });
    expect(await createDeliveryStore(postgres).claim([{ channel: "webhook", room: 1 }], 1000)).toEqual([]);
  });

  test("what is not there is not found", async () => {
    expect(await deliveries.discard(randomUUID(), wish)).toEqual({ kind: "not-found" });
  });
});

describe("a test of a channel", () => {
  test("is a delivery that tells of no alert", async () => {
    const sent = await deliveries.testSend("webhook", "ana");
    expect(sent).toMatchObject({ kind: "test", status: "pending", alert_ids: [], channel: "webhook" });
    expect(woken.times).toBe(1);
    expect((await deliveries.find(sent!.delivery_id))?.message).toMatchObject({
      type: "test",
      data: { alert_name: "Test message", description: "ana tests whether messages arrive here." },
    });
  });

  test("that is not there writes nothing", async () => {
    expect(await deliveries.testSend("nowhere", "ana")).toBeUndefined();
    expect((await deliveries.list({ limit: 10 })).items).toEqual([]);
  });
});
