import { setTimeout as pause } from "node:timers/promises";

import { countStatements } from "../../functions/notification/delivery/count-statements.testing.ts";
import {
  openReceiver,
  openWebhookTo,
  type Receiver,
} from "../../functions/notification/delivery/receiver.testing.ts";
import { newDeliveries } from "../../functions/notification/delivery/rows.testing.ts";
import { createDeliveryStore } from "../../functions/notification/delivery/store.ts";
import { createWorker, standardPolicy } from "../../functions/notification/delivery/worker.ts";
import { type NewDelivery, writeDeliveries } from "../../functions/notification/delivery/write-deliveries.ts";
import { createSeededRandom } from "../../runtime/failpoints.ts";
import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import { untilConnected } from "./callers.ts";
import { type Measured, type Report, toReport } from "./measure.ts";
import { openStore } from "./store.ts";

const count = 10_000;
const plainCount = 2000;
const failing = 0.2;
const rounds = 3;
/** For machines that have other things to do. */
const patienceMs = 600_000;
const policy = { ...standardPolicy, firstBackoffMs: 50, maxBackoffMs: 500 };
const log = createLog({ name: "bench", level: "silent" });

interface Run {
  readonly perSecond: number;
  readonly attempts: number;
  readonly statements: number;
}

/**
 * 10,000 deliveries to a receiver on loopback that answers 503 to a fifth of all requests: all of them must
 * arrive exactly once by their key. Against the same requests without a store, one after the other each.
 */
export async function run(): Promise<readonly Report[]> {
  await using store = await openStore();
  const plain: number[] = [];
  const runs = new Map<number, Run[]>([
    [1, []],
    [2, []],
  ]);
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await postAll());
    for (const [workers, done] of runs) done.push(await deliverAll(store.url, { workers, round }));
  }
  const rows = (pick: (run: Run) => number, extra: Partial<Measured> = {}): readonly Measured[] =>
    [...runs].map(([workers, done]) => ({ name: nameOf(workers), samples: done.map(pick), ...extra }));
  const posted = { name: `POSTs without a store, ${policy.limit} at once`, samples: plain };
  const demanded = { name: "what the failures demand", samples: [1 / (1 - failing)] };
  const single = { name: "one to claim and one to record, per attempt", samples: [2 / (1 - failing)] };
  return [
    toReport(`Deliveries a second (embedded PostgreSQL, fsync on, ${policy.limit} at once)`, "deliveries/s", [
      posted,
      ...rows(({ perSecond }) => perSecond, { note: `all ${count} arrived exactly once` }),
    ]),
    toReport("Attempts for a delivery, a fifth of them failing", "attempts", [
      demanded,
      ...rows(({ attempts }) => attempts, { aim: { atMost: 1.05 } }),
    ]),
    toReport("Statements for a delivery, a fifth of the attempts failing", "statements", [
      single,
      ...rows(({ statements }) => statements, { aim: { atMost: 0.5 } }),
    ]),
  ];
}

const nameOf = (workers: number) => (workers === 1 ? "one worker" : `${workers} workers on one database`);

function openFailing(seed: number): Promise<Receiver> {
  const random = createSeededRandom(seed);
  return openReceiver(() => ({ status: random() < failing ? 503 : 204 }));
}

/** Messages a second, each tried until it arrives, without back-off. */
async function postAll(): Promise<number> {
  await using receiver = await openFailing(1);
  const { send } = openWebhookTo(receiver.url);
  const left = [...newDeliveries(plainCount, { run: "plain" })];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: policy.limit }, async () => {
      for (let row = left.pop(); row; row = left.pop()) await sendUntilTaken(send, row);
    }),
  );
  return (plainCount / (performance.now() - started)) * 1000;
}

async function sendUntilTaken(
  send: ReturnType<typeof openWebhookTo>["send"],
  { delivery_id: id, message }: NewDelivery,
): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    const receipt = await send({ id, message }, signal).catch(() => undefined);
    if (receipt) return;
  }
}

async function deliverAll(
  url: string,
  { workers, round }: { readonly workers: number; readonly round: number },
): Promise<Run> {
  await using open = new AsyncDisposableStack();
  const receiver = open.use(await openFailing(round + 2));
  const opened: ReturnType<typeof openWorker>[] = [];
  for (let n = 0; n < workers; n += 1) {
    const postgres = open.use(await openPostgres({ url, name: "deliveries", max: 1, log }));
    await untilConnected(() => postgres.sql`select`);
    opened.push(openWorker(postgres, receiver.url));
    open.use(opened[n]!.worker);
  }
  const postgres = open.use(await openPostgres({ url, name: "bench", max: 1, log }));
  await untilConnected(() => postgres.sql`truncate deliveries, delivery_attempts, outbox`);
  const rows = newDeliveries(count, { run: `${workers} ${round}` });
  for (let from = 0; from < count; from += 1000) {
    await writeDeliveries(postgres.sql, rows.slice(from, from + 1000));
  }
  await postgres.sql`analyze deliveries`;
  const started = performance.now();
  for (const { worker } of opened) worker.wake();
  await untilDelivered(postgres, receiver);
  const perSecond = (count / (performance.now() - started)) * 1000;
  await checkOnce(postgres, receiver, rows);
  const statements = opened.reduce((sum, { statements: made }) => sum + made(), 0) / count;
  return { perSecond, attempts: receiver.requests.length / count, statements };
}

function openWorker(postgres: Postgres, receiver: string) {
  const counted = countStatements(postgres);
  const channel = openWebhookTo(receiver);
  const channels = new Map([[channel.name, channel]]);
  const worker = createWorker({
    store: createDeliveryStore(counted.postgres),
    channels: () => channels,
    log,
    metrics: createMetrics("bench"),
    random: Math.random,
    now: () => Date.now(),
    policy,
  });
  return { worker, statements: counted.count };
}

async function untilDelivered({ sql }: Postgres, { accepted }: Receiver): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    if (accepted.size >= count) {
      const [left] = await sql`select from deliveries where status <> 'delivered' limit 1`;
      if (!left) return;
    }
    if (performance.now() > until)
      throw new Error(`${accepted.size} of ${count} arrived in ${patienceMs} ms`);
    await pause(10);
  }
}

/** Throws unless every message arrived once and every request is accounted for by an attempt. */
async function checkOnce({ sql }: Postgres, receiver: Receiver, rows: readonly NewDelivery[]): Promise<void> {
  const wrong = rows.filter(({ delivery_id: id }) => receiver.accepted.get(id) !== 1);
  if (wrong.length > 0) throw new Error(`${wrong.length} messages did not arrive exactly once`);
  const [row] = await sql<{ known: number; events: number }[]>`
    select (select count(*)::int from delivery_attempts) as known,
      (select count(*)::int from outbox where event ->> 'type' like '%.delivered.%') as events`;
  const requests = receiver.requests.length;
  if (row?.known !== requests) throw new Error(`${requests} requests, ${row?.known} attempts`);
  if (row.events !== count) throw new Error(`${count} deliveries, ${row.events} events of them`);
}
