import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { OpenChannel } from "../channels/channel.ts";
import { countStatements } from "./count-statements.testing.ts";
import { findDelivery } from "./read-deliveries.ts";
import { type Answering, openReceiver, openWebhookTo } from "./receiver.testing.ts";
import { newDeliveries } from "./rows.testing.ts";
import { createDeliveryStore } from "./store.ts";
import { createWorker, type WorkerPolicy } from "./worker.ts";
import { type NewDelivery, writeDeliveries } from "./write-deliveries.ts";

const log = createLog({ name: "test", level: "silent" });
const patience = { timeout: 30_000 };
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 2, log });
});
beforeEach(async () => {
  await postgres.sql`truncate deliveries, delivery_attempts, outbox`;
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const write = (rows: readonly NewDelivery[], horizonMs?: number) =>
  writeDeliveries(postgres.sql, rows, horizonMs === undefined ? {} : { horizonMs });

/** A worker on a connection of its own, as a process has it. */
async function openWorker(
  channels: readonly OpenChannel[] | (() => ReadonlyMap<string, OpenChannel>),
  policy: Partial<WorkerPolicy> = {},
) {
  await using opening = new AsyncDisposableStack();
  const own = opening.use(await openPostgres({ url: database.url, name: "worker", max: 1, log }));
  const counted = countStatements(own);
  const metrics = createMetrics("test");
  const byName = Array.isArray(channels) ? mapOf(channels) : undefined;
  const worker = opening.use(
    createWorker({
      store: createDeliveryStore(counted.postgres),
      channels: byName ? () => byName : (channels as () => ReadonlyMap<string, OpenChannel>),
      log,
      metrics,
      random: Math.random,
      now: () => Date.now(),
      policy: {
        firstBackoffMs: 20,
        maxBackoffMs: 200,
        firstBreakMs: 100,
        maxBreakMs: 400,
        pollMs: 100,
        ...policy,
      },
    }),
  );
  const opened = opening.move();
  return { worker, metrics, statements: counted.count, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const mapOf = (channels: readonly OpenChannel[]) => new Map(channels.map((each) => [each.name, each]));

async function statuses(): Promise<Record<string, number>> {
  const rows = await postgres.sql<{ name: string; count: number }[]>`
    select channel || ' ' || status as name, count(*)::int as count from deliveries group by 1`;
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

const attemptsMade = async () => {
  const [row] = await postgres.sql<{ rows: number; begun: number }[]>`
    select (select count(*)::int from delivery_attempts) as rows,
      (select coalesce(sum(attempts), 0)::int from deliveries) as begun`;
  return row!;
};
const idsOf = (rows: readonly NewDelivery[]) => rows.map(({ delivery_id }) => delivery_id).toSorted();

describe("delivering over HTTP", () => {
  test("two workers on one database: each message arrives once, in few statements", async () => {
    await using receiver = await openReceiver();
    await using one = await openWorker([openWebhookTo(receiver.url)]);
    await using two = await openWorker([openWebhookTo(receiver.url)]);
    const rows = newDeliveries(300);
    await write(rows);
    const made = await Promise.all([one.worker.run(), two.worker.run()]);
    expect(made.reduce((a, b) => a + b)).toBe(300);
    // How they share is up to the machine; that both take part is not.
    expect(Math.min(...made)).toBeGreaterThan(0);
    expect([...receiver.accepted.keys()].toSorted()).toEqual(idsOf(rows));
    expect(receiver.requests).toHaveLength(300);
    expect(await statuses()).toEqual({ "webhook delivered": 300 });
    expect(await attemptsMade()).toEqual({ rows: 300, begun: 300 });
    // One to claim and one to write it down would be two; several share both, the fewer the slower they are.
    expect((one.statements() + two.statements()) / 300).toBeLessThan(1.6);
    const [outbox] = await postgres.sql<{ count: number }[]>`select count(*)::int from outbox`;
    expect(outbox?.count).toBe(300);
  });

  test("one delivery takes a handful of statements, and nothing due takes fewer", async () => {
    await using receiver = await openReceiver();
    await using opened = await openWorker([openWebhookTo(receiver.url)], { pollMs: 60_000 });
    await opened.worker.run();
    const before = opened.statements();
    await opened.worker.run();
    // A claim that finds nothing, and when something is due.
    expect(opened.statements() - before).toBe(2);
    await write(newDeliveries(1));
    const quiet = opened.statements();
    await opened.worker.run();
    expect(opened.statements() - quiet).toBe(3);
  });

  test("a receiver that fails now and then: everything arrives once, each failure is an attempt", async () => {
    await using receiver = await openReceiver((_id, nth) => ({
      status: nth <= 2 ? 503 : 204,
      body: "later",
    }));
    await using opened = await openWorker([openWebhookTo(receiver.url)], { breakAfter: 1000 });
    const rows = newDeliveries(40);
    await write(rows);
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "webhook delivered": 40 });
    expect([...receiver.accepted.values()]).toEqual(rows.map(() => 1));
    expect(receiver.requests).toHaveLength(120);
    expect(await attemptsMade()).toEqual({ rows: 120, begun: 120 });
    const found = await findDelivery(postgres.sql, rows[0]!.delivery_id);
    expect(found).toMatchObject({
      status: "delivered",
      attempts: 3,
      attempt_history: [
        {
          attempt: 1,
          outcome: "again",
          status_code: 503,
          response: "later",
          idempotency_key: found?.delivery_id,
        },
        { attempt: 2, outcome: "again", status_code: 503 },
        { attempt: 3, outcome: "delivered", status_code: 204, response: null },
      ],
    });
    expect(Date.parse(found!.attempt_history[1]!.started_at)).toBeGreaterThan(
      Date.parse(found!.attempt_history[0]!.started_at),
    );
  });

  test("what is refused for good is not sent again", async () => {
    await using receiver = await openReceiver(() => ({ status: 410, body: "gone for good" }));
    await using opened = await openWorker([openWebhookTo(receiver.url)]);
    await write(newDeliveries(2));
    await opened.worker.run();
    expect(await statuses()).toEqual({ "webhook failed": 2 });
    expect(receiver.requests).toHaveLength(2);
  });

  test("Retry-After is respected", async () => {
    const answers: number[] = [];
    const answer: Answering = (_id, nth) => {
      answers.push(performance.now());
      return nth === 1 ? { status: 429, headers: { "retry-after": "1" } } : { status: 204 };
    };
    await using receiver = await openReceiver(answer);
    await using opened = await openWorker([openWebhookTo(receiver.url)], { maxBackoffMs: 30 });
    await write(newDeliveries(1));
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "webhook delivered": 1 });
    expect(answers).toHaveLength(2);
    expect(answers[1]! - answers[0]!).toBeGreaterThan(950);
  });

  test("a send that outlives its lease is made by another worker, under the same id, and told once", async () => {
    const slow = Promise.withResolvers<void>();
    await using receiver = await openReceiver(async (_id, nth) => {
      if (nth === 1) await slow.promise;
      return { status: 204 };
    });
    const policy = { leaseMs: 300, attemptMs: 20_000, pollMs: 50 };
    await using one = await openWorker([openWebhookTo(receiver.url)], policy);
    await using two = await openWorker([openWebhookTo(receiver.url)], policy);
    const rows = newDeliveries(1);
    await write(rows);
    one.worker.wake();
    await expect.poll(() => receiver.requests.length, patience).toBe(1);
    two.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "webhook delivered": 1 });
    slow.resolve();
    await expect.poll(attemptsMade, patience).toEqual({ rows: 2, begun: 2 });
    expect(receiver.requests).toEqual([rows[0]!.delivery_id, rows[0]!.delivery_id]);
    const [outbox] = await postgres.sql<{ count: number }[]>`select count(*)::int from outbox`;
    expect(outbox?.count).toBe(1);
  });
});

describe("a receiver that is away", () => {
  test("its circuit opens, others go on, and when it is back all of it arrives with few attempts lost", async () => {
    const state = { isAway: true };
    await using dead = await openReceiver(() => (state.isAway ? undefined : { status: 204 }));
    await using live = await openReceiver();
    const channels = [openWebhookTo(dead.url, { name: "dead" }), openWebhookTo(live.url, { name: "live" })];
    await using opened = await openWorker(channels, { limit: 4, breakAfter: 5 });
    const waiting = newDeliveries(200, { channel: "dead" });
    await write(waiting);
    await write(newDeliveries(50, { channel: "live" }));
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "dead pending": 200, "live delivered": 50 });
    await expect.poll(() => opened.worker.circuits().get("dead")?.state, patience).toBe("open");
    expect(opened.worker.circuits().get("live")?.state).toBe("closed");
    expect(await opened.metrics.registry.metrics()).toContain(
      'circuit_open{channel="dead",function="test"} 1',
    );
    // Three probes later still only those have been tried that opened it and probed it.
    const before = dead.requests.length;
    await expect.poll(() => dead.requests.length, patience).toBeGreaterThanOrEqual(before + 3);
    expect(dead.requests.length).toBeLessThan(30);
    expect((await attemptsMade()).begun).toBe(50 + dead.requests.length);
    state.isAway = false;
    await expect.poll(statuses, patience).toEqual({ "dead delivered": 200, "live delivered": 50 });
    expect(opened.worker.circuits().get("dead")?.state).toBe("closed");
    expect(await opened.metrics.registry.metrics()).toContain(
      'circuit_open{channel="dead",function="test"} 0',
    );
    expect([...dead.accepted.keys()].toSorted()).toEqual(idsOf(waiting));
    expect([...dead.accepted.values()].every((times) => times === 1)).toBe(true);
  });

  test("one that hangs holds up nobody but itself", async () => {
    const release = Promise.withResolvers<void>();
    await using hung = await openReceiver(async () => {
      await release.promise;
      return { status: 204 };
    });
    await using live = await openReceiver();
    const channels = [openWebhookTo(hung.url, { name: "hung" }), openWebhookTo(live.url, { name: "live" })];
    await using opened = await openWorker(channels, { limit: 2 });
    await write(newDeliveries(20, { channel: "hung" }));
    opened.worker.wake();
    await expect.poll(() => hung.requests.length, patience).toBe(2);
    await write(newDeliveries(20, { channel: "live" }));
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "hung pending": 20, "live delivered": 20 });
    expect(hung.requests).toHaveLength(2);
    release.resolve();
    await expect.poll(statuses, patience).toEqual({ "hung delivered": 20, "live delivered": 20 });
  });

  test("after the horizon its deliveries are dead letters, with a last attempt right before", async () => {
    await using receiver = await openReceiver(() => ({ status: 500 }));
    const policy = { firstBackoffMs: 300, maxBackoffMs: 20_000, breakAfter: 1000, sweepMs: 50 };
    await using opened = await openWorker([openWebhookTo(receiver.url)], policy);
    await write(newDeliveries(3), 2000);
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "webhook failed": 3 });
    const last = await postgres.sql<{ left_ms: number }[]>`
      select extract(epoch from give_up_at - max(started_at))::float8 * 1000 as left_ms
      from deliveries join delivery_attempts using (delivery_id) group by delivery_id, give_up_at`;
    expect(last).toHaveLength(3);
    expect(last.every(({ left_ms }) => left_ms > 0 && left_ms <= 300)).toBe(true);
    const finals = await postgres.sql<{ code: string }[]>`
      select event #>> '{data,code}' as code from outbox where (event #>> '{data,final}')::boolean`;
    expect(finals).toHaveLength(3);
  });
});

describe("channels that come and go", () => {
  test("what waits for a channel says so, and goes once it is configured", async () => {
    await using receiver = await openReceiver();
    let channels = mapOf([openWebhookTo(receiver.url, { name: "first" })]);
    await using opened = await openWorker(() => channels, { sweepMs: 0 });
    const rows = newDeliveries(3, { channel: "later" });
    await write(rows);
    await opened.worker.run();
    expect(await findDelivery(postgres.sql, rows[0]!.delivery_id)).toMatchObject({
      status: "pending",
      attempts: 0,
      last_error: "There is no channel named later.",
    });
    channels = mapOf([openWebhookTo(receiver.url, { name: "later" })]);
    await opened.worker.run();
    expect(await statuses()).toEqual({ "later delivered": 3 });
    expect([...receiver.accepted.keys()].toSorted()).toEqual(idsOf(rows));
  });
});

describe("what operators see", () => {
  test("deliveries by outcome, and the time of attempts", async () => {
    await using receiver = await openReceiver((_id, nth) => ({ status: nth === 1 ? 500 : 204 }));
    await using opened = await openWorker([openWebhookTo(receiver.url)]);
    await write(newDeliveries(1));
    opened.worker.wake();
    await expect.poll(statuses, patience).toEqual({ "webhook delivered": 1 });
    const text = await opened.metrics.registry.metrics();
    expect(text).toContain('channel="webhook",outcome="again",function="test"} 1');
    expect(text).toContain('channel="webhook",outcome="delivered",function="test"} 1');
    expect(text).toContain('auditflow_notification_attempt_seconds_count{function="test"} 2');
  });
});
