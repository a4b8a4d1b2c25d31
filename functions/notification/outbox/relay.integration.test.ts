import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Event } from "../../../events/event.ts";
import { SinkError } from "../../../events/sink.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Sink } from "../../../runtime/function.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { backoffMs, createRelay, type RelayDeps } from "./relay.ts";
import { writeChanges } from "../life-cycle/write-changes.ts";

let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({
    url: database.url,
    name: "test",
    max: 8,
    log: createLog({ name: "test", level: "silent" }),
  });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await postgres.sql`truncate outbox, alert_changes`;
});

const alertId = "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b";

/** Puts the events of so many changes of one alert into the outbox; answers their ids. */
async function fill(count: number): Promise<readonly string[]> {
  const revisions = Array.from({ length: count }, (_, index) => index + 1);
  await postgres.transaction((sql) =>
    writeChanges(
      sql,
      revisions.map((revision) => ({
        alertId,
        revision,
        action: "comment",
        changedAt: Date.parse("2026-11-21T12:00:00Z"),
        by: { type: "user", id: "ana" },
        reason: `number ${revision}`,
        before: {},
        after: {},
      })),
    ),
  );
  return revisions.map((revision) => `${alertId}/${revision}`);
}

/** A broker that takes down what it gets, and refuses what `refuse` tells. */
function openBroker(refuse: (event: Event, times: number) => Error | undefined = () => undefined) {
  const taken: Event[] = [];
  const offered = new Map<string, number>();
  const sink: Sink = async (events, signal) => {
    for (const event of events) {
      signal?.throwIfAborted();
      offered.set(event.id, (offered.get(event.id) ?? 0) + 1);
      const error = refuse(event, offered.get(event.id) ?? 0);
      if (error) throw error;
      taken.push(event);
    }
  };
  const ids = () => taken.map(({ id }) => id).toSorted();
  return { sink, taken, offered, ids };
}

function openRelay(sink: Sink, changes: Partial<RelayDeps> = {}) {
  const lines: { level: string; msg: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const metrics = createMetrics("test");
  const log = createLog({ name: "test", level: "info", destination });
  const relay = createRelay({ postgres, sink, log, metrics, random: () => 1, ...changes });
  return Object.assign(relay, { lines, metrics });
}

const depth = async () => {
  const [row] = await postgres.sql<{ n: number }[]>`select count(*)::integer as n from outbox`;
  return row?.n;
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition());) {
    if (Date.now() > end) throw new Error("Nothing happened in 10 s.");
    await delay(10);
  }
}

test("what is in the outbox is sent once, as it was written, and then is gone", async () => {
  const ids = await fill(100);
  const broker = openBroker();
  await using relay = openRelay(broker.sink);
  expect(await relay.run()).toBe(100);
  expect(broker.ids()).toEqual(ids.toSorted());
  expect(broker.taken.find(({ id }) => id === `${alertId}/7`)).toMatchObject({
    type: "io.auditflow.alert.updated.v1",
    source: "/auditflow/notification",
    subject: alertId,
    extensions: { partitionkey: alertId },
    data: { revision: 7, reason: "number 7" },
  });
  expect(await depth()).toBe(0);
  expect(await relay.run()).toBe(0);
});

test("waking it is enough, and the metric tells what waits", async () => {
  await fill(3);
  const broker = openBroker();
  await using relay = openRelay(broker.sink);
  relay.wake();
  await until(async () => (await depth()) === 0);
  expect(broker.taken).toHaveLength(3);
  await until(async () => (await relay.metrics.outboxEvents.get()).values[0]?.value === 0);
});

test("two relays at once share the work and send nothing twice", async () => {
  const ids = await fill(300);
  const slow: Sink = async (events, signal) => {
    await delay(2);
    await broker.sink(events, signal);
  };
  const broker = openBroker();
  await using first = openRelay(slow);
  await using second = openRelay(slow);
  const counts = await Promise.all([first.run(), second.run()]);
  expect(broker.ids()).toEqual(ids.toSorted());
  expect(Math.min(...counts)).toBeGreaterThan(0);
});

test("an event that is not confirmed is tried again later under its id, and holds up no other", async () => {
  const ids = await fill(40);
  const refused = `${alertId}/5`;
  const broker = openBroker(({ id }, times) =>
    id === refused && times < 3 ? new SinkError("no", { attempts: 1, status: 503 }) : undefined,
  );
  await using relay = openRelay(broker.sink, { policy: { firstBackoffMs: 20 } });
  expect(await relay.run()).toBe(39);
  expect(await depth()).toBe(1);
  relay.wake();
  await until(async () => (await depth()) === 0);
  expect(broker.ids()).toEqual(ids.toSorted());
  expect(broker.offered.get(refused)).toBe(3);
});

test("an event that cannot be read stays, is told of, and holds up none of those claimed with it", async () => {
  // First of all, and more than one claim holds.
  await postgres.sql`
    insert into outbox (event, due_at)
    select '{"specversion": "1.0"}', now() - interval '1 hour' from generate_series(1, 33)`;
  const ids = await fill(40);
  const broker = openBroker();
  await using relay = openRelay(broker.sink, { policy: { firstBackoffMs: 20_000 } });
  expect(await relay.run()).toBe(40);
  expect(broker.ids()).toEqual(ids.toSorted());
  expect(await depth()).toBe(33);
  expect(relay.lines.map(({ msg }) => msg)).toEqual(
    Array.from({ length: 33 }, () => "an event in the outbox cannot be read and stays"),
  );
  const [row] = await postgres.sql<{ isPutOff: boolean }[]>`
    select bool_and(due_at > now() and due_at < now() + interval '30 s') as "isPutOff" from outbox`;
  expect(row, "after its back-off, not the lease").toEqual({ isPutOff: true });
});

test("a relay that dies between the confirm and the removal has it sent again, under the same id", async () => {
  const [id] = await fill(1);
  const broker = openBroker();
  const dying = openRelay(broker.sink, {
    failpoint: () => Promise.reject(new Error("killed")),
    policy: { leaseMs: 300 },
  });
  await expect(dying.run()).rejects.toThrow("killed");
  await using other = openRelay(broker.sink);
  expect(await other.run(), "the lease still holds").toBe(0);
  await until(async () => (await other.run()) === 1);
  expect(broker.ids()).toEqual([id, id]);
  expect(await depth()).toBe(0);
});

test("without a sink everything waits, and that is said once", async () => {
  await fill(50);
  let isOn = false;
  const broker = openBroker(() => (isOn ? undefined : new UnavailableError("sink", "K_SINK is not set")));
  await using relay = openRelay(broker.sink, { policy: { firstBackoffMs: 1, maxBackoffMs: 1 } });
  await relay.run();
  await relay.run();
  expect(await depth()).toBe(50);
  expect(relay.lines.map(({ msg }) => msg)).toEqual(["events wait for a sink"]);
  isOn = true;
  await until(async () => {
    await relay.run();
    return (await depth()) === 0;
  });
  expect(relay.lines.map(({ msg }) => msg)).toEqual(["events wait for a sink", "events are sent again"]);
});

test("disposing it sends what is due", async () => {
  const ids = await fill(70);
  const broker = openBroker();
  await openRelay(broker.sink)[Symbol.asyncDispose]();
  expect(broker.ids()).toEqual(ids.toSorted());
  expect(await depth()).toBe(0);
});

test("while the broker is away, what waits is not walked through again and again", async () => {
  await fill(200);
  const broker = openBroker(() => new SinkError("no", { attempts: 1 }));
  await using relay = openRelay(broker.sink, { policy: { pollMs: 60_000, closeMs: 1 } });
  relay.wake();
  await until(async () => (await relay.metrics.outboxEvents.get()).values[0]?.value === 200);
  await delay(50);
  expect(broker.offered.size).toBe(32);
});

test("disposing it ends what is being sent, and the next one has it at once", async () => {
  await fill(1);
  const begun = Promise.withResolvers<void>();
  const hanging: Sink = async (_, signal) => {
    begun.resolve();
    await delay(60_000, undefined, { signal });
  };
  const relay = openRelay(hanging, { policy: { closeMs: 20 } });
  relay.wake();
  await begun.promise;
  await relay[Symbol.asyncDispose]();
  const broker = openBroker();
  await using next = openRelay(broker.sink);
  expect(await next.run()).toBe(1);
});

test("the wait doubles up to a bound, and chance spreads it over its second half", () => {
  const policy = { firstBackoffMs: 1000, maxBackoffMs: 600_000 };
  expect([1, 2, 3, 4].map((attempt) => backoffMs(attempt, 1, policy))).toEqual([1000, 2000, 4000, 8000]);
  expect(backoffMs(3, 0, policy)).toBe(2000);
  expect(backoffMs(2000, 1, policy)).toBe(600_000);
});
