import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import {
  type Answering,
  openReceiver,
  type Receiver,
} from "../../functions/notification/delivery/receiver.testing.ts";
import { newDeliveries } from "../../functions/notification/delivery/rows.testing.ts";
import type { WorkerPolicy } from "../../functions/notification/delivery/worker.ts";
import { writeDeliveries } from "../../functions/notification/delivery/write-deliveries.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import { lowPort } from "../support/low-port.ts";
import { openPostgresServer, type TestPostgresServer } from "../support/postgres-server.ts";
import type { Deliverer } from "./deliverer.ts";

const script = fileURLToPath(new URL("deliverer.ts", import.meta.url));
const patience = { timeout: 60_000, interval: 50 };
const hour = 3_600_000;
const limit = 8;
let server: TestPostgresServer;
let postgres: Postgres;

beforeAll(async () => {
  server = await openPostgresServer();
  const log = createLog({ name: "faults", level: "silent" });
  postgres = await openPostgres({ url: server.url, name: "faults", max: 2, log });
});
beforeEach(async () => {
  await postgres.sql`truncate deliveries, delivery_attempts, outbox`;
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** One process that delivers. */
interface Delivering extends AsyncDisposable {
  readonly process: ChildProcess;
  jump(ms: number): void;
  /** SIGKILL, now; resolves when it is gone. */
  kill(): Promise<void>;
}

async function deliver(
  receiver: Pick<Receiver, "url">,
  policy: Partial<WorkerPolicy> = {},
): Promise<Delivering> {
  const standard = { limit, firstBackoffMs: 100, maxBackoffMs: 1000, breakAfter: 1000, pollMs: 200 };
  const given: Deliverer = {
    database: server.url,
    webhook: receiver.url,
    policy: { ...standard, ...policy },
  };
  const child = spawn(process.execPath, [script, JSON.stringify(given)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const kill = async () => {
    if (isGone()) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return { process: child, jump: (ms) => void child.send(ms), kill, [Symbol.asyncDispose]: kill };
}

async function write(count: number) {
  const rows = newDeliveries(count, { run: String(performance.now()) });
  await writeDeliveries(postgres.sql, rows);
  return rows;
}

const pending = async () => {
  const [row] = await postgres.sql<{ count: number }[]>`
    select count(*)::int as count from deliveries where status = 'pending'`;
  return row?.count;
};

interface Account {
  readonly id: string;
  readonly alert: string;
  readonly status: string;
  /** Attempts that were begun, and those whose end is known. */
  readonly begun: number;
  readonly known: number;
  readonly keys: readonly string[];
  readonly events: number;
}

/** What the database knows of every delivery. */
const accounts = () =>
  postgres.sql<Account[]>`
    select delivery_id as id, alert_ids[1] as alert, deliveries.status, attempts as begun,
      (select count(*)::int from delivery_attempts as one where one.delivery_id = deliveries.delivery_id) as known,
      (select coalesce(jsonb_agg(distinct idempotency_key), '[]') from delivery_attempts as one
        where one.delivery_id = deliveries.delivery_id) as keys,
      (select count(*)::int from outbox where event ->> 'type' = 'io.auditflow.notification.delivered.v1'
        and event #>> '{data,delivery_id}' = delivery_id::text) as events
    from deliveries`;

/**
 * What holds after every fault: nothing is lost, each alert was told under one key, every request that the
 * receiver saw was an attempt, and no more of them than `unanswered` are without a known end.
 */
async function expectWhole(receivers: readonly Receiver[], { count = 0, unanswered = 0 }) {
  const all = await accounts();
  const requests = receivers.flatMap((receiver) => receiver.requests);
  const accepted = receivers.flatMap((receiver) => [...receiver.accepted.keys()]);
  expect(all.filter(({ status }) => status !== "delivered")).toEqual([]);
  expect(all).toHaveLength(count);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(count);
  expect(new Set(accepted)).toEqual(new Set(all.map(({ id }) => id)));
  expect(new Set(requests)).toEqual(new Set(accepted));
  expect(all.filter(({ id, keys }) => keys.length !== 1 || keys[0] !== id)).toEqual([]);
  expect(all.filter(({ events }) => events !== 1)).toEqual([]);
  const seen = Map.groupBy(requests, (id) => id);
  expect(all.filter(({ id, begun, known }) => known > begun || (seen.get(id)?.length ?? 0) > begun)).toEqual(
    [],
  );
  const unknown = all.reduce((sum, { begun, known }) => sum + begun - known, 0);
  expect(unknown).toBeLessThanOrEqual(unanswered);
  return { requests: requests.length, unknown };
}

const report = (name: string, figures: object) =>
  void process.stdout.write(`${name}: ${JSON.stringify(figures)}\n`);

describe("deliveries", () => {
  test("the worker is killed in the middle of sending: what it had sent is sent again under its id", async () => {
    const count = 90;
    const kills = 3;
    const victim: { current?: Delivering; killed: number } = { killed: 0 };
    // Some requests are never answered before their sender is dead.
    const answer: Answering = async (id) => {
      const isNow = victim.killed < kills && receiver.requests.length >= (victim.killed + 1) * 20;
      if (isNow && victim.current) {
        const { current } = victim;
        delete victim.current;
        victim.killed += 1;
        await current.kill();
        interrupted.add(id);
      }
      return { status: 204 };
    };
    const interrupted = new Set<string>();
    await using receiver = await openReceiver(answer);
    await write(count);
    const policy = { leaseMs: 1500, attemptMs: 1000 };
    for (let life = 0; life <= kills; life += 1) {
      const worker = await deliver(receiver, policy);
      victim.current = worker;
      if (life < kills) await once(worker.process, "exit");
      else await expect.poll(pending, patience).toBe(0);
      await worker.kill();
    }
    const most = kills * limit;
    const { requests, unknown } = await expectWhole([receiver], { count, unanswered: most });
    report("kill -9 in mid-send", { count, kills, requests, unknown });
    const again = new Set(receiver.requests.filter((id, at) => receiver.requests.indexOf(id) !== at));
    expect(interrupted.size).toBe(kills);
    expect([...interrupted].filter((id) => !again.has(id))).toEqual([]);
    expect(requests - count).toBeGreaterThanOrEqual(kills);
    expect(requests - count).toBeLessThanOrEqual(most);
  });

  test("the receiver is down for longer than three back-offs", async () => {
    const count = 40;
    const port = await lowPort();
    const url = `http://127.0.0.1:${port}/`;
    await write(count);
    await using _worker = await deliver({ url });
    const tried = async () => Math.min(...(await accounts()).map(({ known }) => known));
    await expect.poll(tried, patience).toBeGreaterThanOrEqual(4);
    await using receiver = await openReceiver(undefined, port);
    await expect.poll(pending, patience).toBe(0);
    const { requests } = await expectWhole([receiver], { count });
    report("receiver down", { count, requests, least: await tried() });
    expect(requests).toBe(count);
    const [first] = await postgres.sql<{ gaps: number[] }[]>`
      select jsonb_agg(gap order by attempt) as gaps from (
        select attempt, extract(epoch from started_at - lag(started_at) over (order by attempt))::float8 * 1000 as gap
        from delivery_attempts where delivery_id = (select min(delivery_id::text)::uuid from deliveries)) as times
      where gap is not null`;
    // Half of each back-off is certain: 50, 100, 200 ms.
    expect(first!.gaps.slice(0, 3).map((gap, n) => gap >= 50 * 2 ** n)).toEqual([true, true, true]);
  });

  async function restart(before: Promise<void>, isKill: boolean): Promise<void> {
    await before;
    await (isKill ? server.kill() : server.stop());
    await server.start();
  }

  test("PostgreSQL is killed, and stopped, under load: nothing is sent twice", async () => {
    const count = 300;
    const faults = { made: 0 };
    let breaking = Promise.resolve();
    const answer: Answering = async () => {
      const at = receiver.requests.length;
      if ((at >= 60 && faults.made === 0) || (at >= 150 && faults.made === 1)) {
        const isKill = faults.made === 0;
        faults.made += 1;
        breaking = restart(breaking, isKill);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { status: 204 };
    };
    await using receiver = await openReceiver(answer);
    await write(count);
    await using worker = await deliver(receiver, { leaseMs: 6000, attemptMs: 2000 });
    await expect.poll(() => faults.made, patience).toBe(2);
    await breaking;
    await expect.poll(() => pending().catch(() => -1), patience).toBe(0);
    expect(worker.process.exitCode).toBe(null);
    // A claim may have been committed and its answer lost.
    const { requests, unknown } = await expectWhole([receiver], { count, unanswered: 2 * limit });
    report("PostgreSQL restarted", { count, faults: faults.made, requests, unknown });
    expect(requests).toBe(count);
  });

  test("two workers at once: each message is sent once, and both send", async () => {
    const count = 300;
    await using first = await openReceiver();
    await using second = await openReceiver();
    await using _one = await deliver(first);
    await using _two = await deliver(second);
    await write(count);
    await expect.poll(pending, patience).toBe(0);
    const { requests } = await expectWhole([first, second], { count });
    const each = [first.requests.length, second.requests.length];
    report("two workers", { count, requests, each });
    expect(requests).toBe(count);
    expect(Math.min(...each)).toBeGreaterThan(20);
  });

  test("the clock of one of two workers jumps a day ahead and two hours back", async () => {
    const count = 300;
    const jumps = [24 * hour, -26 * hour];
    const answer: Answering = async (_id, nth) => {
      if (receiver.requests.length % 60 === 0) jumping.jump(jumps.pop() ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { status: nth === 1 && receiver.requests.length % 4 === 0 ? 503 : 204 };
    };
    await using receiver = await openReceiver(answer);
    await using jumping = await deliver(receiver, { breakAfter: 5, firstBreakMs: 100 });
    await using _steady = await deliver(receiver, { breakAfter: 5, firstBreakMs: 100 });
    await write(count);
    await expect.poll(pending, patience).toBe(0);
    const { requests } = await expectWhole([receiver], { count });
    const repeated = requests - count;
    report("clock jumps", { count, requests, repeated });
    expect(jumps).toEqual([]);
    expect(repeated).toBeGreaterThan(20);
    expect([...receiver.accepted.values()].filter((times) => times !== 1)).toEqual([]);
    // The times that are kept are the database's, whatever the process thinks.
    const [row] = await postgres.sql<{ odd: number }[]>`
      select count(*)::int as odd from delivery_attempts
      where started_at not between now() - interval '10 minutes' and now()`;
    expect(row?.odd).toBe(0);
  });
});
