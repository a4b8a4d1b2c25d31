import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createFailpoint, type Failpoint, noFailpoint } from "../../../runtime/failpoints.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { createSender } from "../sender.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createReader } from "./reader.ts";
import { createStore } from "./store.ts";
import { tellAll } from "./tell-all.ts";

const log = createLog({ name: "test", level: "silent" });
const channels = ["webhook"];
let database: TestDatabase;
let postgres: Postgres;
let outbox: Outbox;
let run = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 6, log });
  outbox = createOutbox(postgres);
});
beforeEach(async () => {
  await postgres.sql`delete from deliveries`;
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** Stores alerts of this many episodes; answers their ids. */
async function raise(count: number): Promise<readonly string[]> {
  const store = createStore({
    postgres,
    metrics: createMetrics("test"),
    tell: tellAll(channels),
    onOutbox: () => undefined,
  });
  const name = `outbox ${run++}`;
  const emissions = Array.from({ length: count }, (_, group) =>
    sightingEmission({ alert: 1, group, events: [1, 2] }, name),
  );
  await Promise.all(emissions.map((emission) => store.storeAlert(emission)));
  return emissions.map(({ alertId }) => alertId);
}

const claim = (limit: number, leaseMs = 60_000) => outbox.claim({ channels, limit, leaseMs });

describe("the outbox", () => {
  test("what one sender claims no other gets, however many ask at once", async () => {
    await raise(20);
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(5)));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(20);
    expect(await claim(5)).toEqual([]);
  });

  test("what a sender that died had claimed is claimed again after its lease, under the same id", async () => {
    await raise(1);
    const [first] = await claim(1, 1);
    await expect.poll(() => outbox.nextDue(channels)).toBe(0);
    const [second] = await claim(1);
    expect(second).toEqual({ ...first, attempt: 2 });
  });

  test("the message tells what began, without the raw event", async () => {
    const [alertId] = await raise(1);
    const [claimed] = await claim(1);
    expect(claimed?.message).toMatchObject({
      type: "alert.raised",
      timestamp: "2026-11-21T12:00:02.000Z",
      data: { alert_id: alertId, alert_name: "Multiple failed logins", severity: "HIGH", count: 2 },
    });
    expect(JSON.stringify(claimed?.message)).not.toContain("raw_event_data");
  });

  test("a delivery that failed comes back after its wait, one that was given up does not", async () => {
    await raise(2);
    const [again, failed] = await claim(2);
    await outbox.mark(again!, { kind: "again", afterMs: 0, reason: "refused" });
    await outbox.mark(failed!, { kind: "failed", reason: "gone" });
    expect(await claim(2)).toEqual([{ ...again, attempt: 2 }]);
  });

  test("a sender that lost its lease cannot undo what its successor achieved", async () => {
    await raise(1);
    const [late] = await claim(1, 1);
    await expect.poll(() => outbox.nextDue(channels)).toBe(0);
    const [successor] = await claim(1);
    await outbox.mark(late!, { kind: "again", afterMs: 0, reason: "slow" });
    expect(await claim(1)).toEqual([]);
    await outbox.mark(successor!, { kind: "delivered" });
    await outbox.mark(late!, { kind: "failed", reason: "slow" });
    expect(await outbox.nextDue(channels)).toBeUndefined();
  });

  test("deliveries of a channel that is off wait for it", async () => {
    await raise(1);
    expect(await outbox.claim({ channels: ["console"], limit: 1, leaseMs: 1000 })).toEqual([]);
    expect(await claim(1)).toHaveLength(1);
  });

  test("a sender that fails between sending and writing it down sends once more, under the same id", async () => {
    await raise(1);
    const sent: string[] = [];
    const open = (failpoint: Failpoint) =>
      createSender({
        outbox,
        channels: new Map([["webhook", async ({ id }) => void sent.push(id)]]),
        log,
        metrics: createMetrics("test"),
        random: () => 1,
        failpoint,
        policy: { leaseMs: 1, pollMs: 10 },
      });
    await using failing = open(createFailpoint("notification-after-post:throw", { random: () => 0 }));
    await expect(failing.run()).rejects.toThrow("Failpoint");
    await failing[Symbol.asyncDispose]();
    await using next = open(noFailpoint);
    next.wake();
    await expect.poll(() => outbox.nextDue(channels)).toBeUndefined();
    expect(sent).toHaveLength(2);
    expect(new Set(sent).size).toBe(1);
  });

  test("two senders together send each message once, and people see it", async () => {
    const ids = await raise(30);
    const sent: string[] = [];
    const open = () =>
      createSender({
        outbox,
        channels: new Map([["webhook", async ({ id }) => void sent.push(id)]]),
        log,
        metrics: createMetrics("test"),
        random: () => 1,
      });
    await using one = open();
    await using two = open();
    const attempts = await Promise.all([one.run(), two.run()]);
    expect(attempts.reduce((a, b) => a + b)).toBe(30);
    expect(new Set(sent).size).toBe(30);
    const [delivery] = await createReader(postgres).listDeliveries(ids[0]!);
    expect(delivery).toMatchObject({ channel: "webhook", kind: "raised", status: "delivered", attempts: 1 });
  });
});
