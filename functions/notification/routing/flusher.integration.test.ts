import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { AlertSummary } from "../alert-view.ts";
import type { Message } from "../channels/channel.ts";
import { createFlusher } from "./flusher.ts";
import { insertEpisode, letPass, routesOf } from "./routing.testing.ts";
import { createTell } from "./tell.ts";

const log = createLog({ name: "test", level: "silent" });
const silences = async () => [];
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 8, log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  for (const table of ["deliveries", "notification_groups", "episodes"]) {
    await postgres.sql.unsafe(`delete from ${table}`);
  }
});

type Change = Partial<AlertSummary>;

async function insertAll(changes: readonly Change[]): Promise<readonly AlertSummary[]> {
  const alerts: AlertSummary[] = [];
  for (const change of changes) {
    alerts.push(await insertEpisode(postgres.sql, { alert_id: randomUUID(), ...change }));
  }
  return alerts;
}

test("alerts that are stored while others are told are told once each, by however many workers", async () => {
  const routes = routesOf("route: {channels: [chat], group_by: [host], group_wait: 0s, group_interval: 1s}");
  const deps = { routes: () => routes, silences };
  const tell = createTell(deps);
  const raised: string[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; round < 12; round += 1) {
      await postgres.transaction(async (sql) => {
        const alerts: AlertSummary[] = [];
        for (const host of [0, 1, 2]) {
          const server_hostname = `host-${(host + writer + round) % 5}`;
          alerts.push(await insertEpisode(sql, { alert_id: randomUUID(), server_hostname }));
        }
        raised.push(...alerts.map(({ alert_id }) => alert_id));
        await tell(
          sql,
          alerts.map((alert) => ({ kind: "raised", alert })),
        );
      });
    }
  });
  const state = { isRaising: true };
  const flushers = Array.from({ length: 3 }, async () => {
    const flusher = createFlusher({ ...deps, postgres });
    while (state.isRaising) await flusher.run();
  });
  await Promise.all(writers);
  state.isRaising = false;
  await Promise.all(flushers);
  await letPass(postgres.sql, "1 hour");
  await createFlusher({ ...deps, postgres }).run();
  const rows = await postgres.sql<{ ids: string[] }[]>`
    select to_jsonb(alert_ids) as ids from deliveries where status = 'pending'`;
  expect(rows.flatMap(({ ids }) => ids).toSorted()).toEqual(raised.toSorted());
  expect(rows.length).toBeLessThan(raised.length);
}, 60_000);

test("a batch takes as many statements as a single alert", async () => {
  const routes = routesOf(`
inhibit:
  - {name: a, source: 'severity:critical', target: 'severity:<=high', equal: [host]}
  - {name: b, source: 'rule:x', target: 'rule:y OR severity:high', equal: []}
route:
  channels: [chat]
  repeat_interval: 4h
  routes: [{match: 'host:odd', group_by: [rule]}]`);
  const deps = { routes: () => routes, silences };
  const counts: number[] = [];
  for (const size of [2, 60]) {
    const alerts = await insertAll(
      Array.from({ length: size }, (_, index) => ({ server_hostname: index % 2 ? "odd" : "even" })),
    );
    await postgres.transaction(async (sql) => {
      let calls = 0;
      const counted = new Proxy(sql, {
        apply(target, self, args: unknown[]) {
          calls += 1;
          return Reflect.apply(target, self, args) as unknown;
        },
      });
      await createTell(deps)(
        counted,
        alerts.map((alert) => ({ kind: "raised", alert })),
      );
      counts.push(calls);
    });
  }
  expect(counts[1]).toBe(counts[0]);
});

const shown = async () =>
  (
    await postgres.sql<{ kind: string; channel: string; muted_by: string | null; message: Message }[]>`
    select kind, channel, muted_by, message from deliveries`
  )
    .map(({ kind, channel, muted_by, message }) => ({
      kind,
      channel,
      muted_by,
      values: message.group?.values ?? null,
      alerts: (message.alerts ?? [message.data]).map(({ alert_name }) => alert_name),
    }))
    .map((row) => JSON.stringify(row))
    .toSorted();

test("the same alerts in any order and in any batches make the same messages", async () => {
  const routes = routesOf(`
inhibit: [{name: down, source: 'rule:down', target: 'severity:<=low', equal: [host]}]
route:
  channels: [chat]
  group_by: [host]
  group_wait: 1m
  routes: [{match: 'severity:critical', group_by: [rule], channels: [pager, chat], continue: true}]`);
  const deps = { routes: () => routes, silences };
  const tell = createTell(deps);
  const one = fc.record({
    server_hostname: fc.constantFrom("a", "b"),
    severity: fc.constantFrom("LOW" as const, "HIGH" as const, "CRITICAL" as const),
    rule_id: fc.constantFrom("down", "other"),
  });
  const cases = fc
    .array(one, { minLength: 2, maxLength: 8 })
    .map((changes) =>
      changes.map((change, index) => ({ ...change, alert_name: `alert ${index}`, alert_id: randomUUID() })),
    )
    .chain((changes) =>
      fc.record({
        changes: fc.constant(changes),
        shuffled: fc.shuffledSubarray(changes, { minLength: changes.length }),
        size: fc.integer({ min: 1, max: 3 }),
      }),
    );

  async function messagesOf(changes: readonly Change[], size: number): Promise<readonly string[]> {
    for (const table of ["deliveries", "notification_groups", "episodes"])
      await postgres.sql.unsafe(`delete from ${table}`);
    for (let from = 0; from < changes.length; from += size) {
      const alerts = await insertAll(changes.slice(from, from + size));
      await postgres.transaction(async (sql) => {
        await tell(
          sql,
          alerts.map((alert) => ({ kind: "raised" as const, alert })),
        );
      });
    }
    await letPass(postgres.sql, "1 minute");
    await createFlusher({ ...deps, postgres }).run();
    return await shown();
  }

  await fc.assert(
    fc.asyncProperty(cases, async ({ changes, shuffled, size }) => {
      expect(await messagesOf(shuffled, size)).toEqual(await messagesOf(changes, changes.length));
    }),
    { numRuns: 6 },
  );
}, 60_000);

test("a group of thousands is told in parts, each alert once", async () => {
  const routes = routesOf("route: {channels: [chat], group_by: [], group_wait: 0s}");
  const deps = { routes: () => routes, silences };
  await insertAll([{}]);
  await postgres.sql`
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count, alert_name,
      alert_type, severity, description, rule_id, rule_name, action_observed)
    select gen_random_uuid(), received_at, group_id, timestamp, first_seen, last_seen, count, alert_name,
      alert_type, severity, description, rule_id, rule_name, action_observed
    from episodes, generate_series(1, 5999)`;
  const [known] = await postgres.sql<{ episode_id: string }[]>`select episode_id from episodes limit 1`;
  const alert = { ...(await insertAll([{}]))[0]!, alert_id: known?.episode_id ?? "" };
  await postgres.transaction(async (sql) => {
    await createTell(deps)(sql, [{ kind: "raised", alert }]);
    await sql`insert into notification_group_members (group_id, alert_id, kind, added_at)
      select group_id, episode_id, 'raised', now() from notification_groups, (select episode_id from episodes limit 6000) as one
      on conflict do nothing`;
  });
  await createFlusher({ ...deps, postgres }).run();
  await letPass(postgres.sql, "10 minutes");
  await createFlusher({ ...deps, postgres }).run();
  const rows = await postgres.sql<{ total: number; listed: number }[]>`
    select (message #>> '{group,total}')::int as total, jsonb_array_length(message -> 'alerts') as listed
    from deliveries order by created_at`;
  expect(rows.map(({ total }) => total)).toEqual([5000, 1000]);
  expect(rows.map(({ listed }) => listed)).toEqual([100, 100]);
}, 60_000);

test.each([
  ["routing-before-commit", 0],
  ["routing-after-commit", 1],
])(
  "a process that is killed at %s leaves its message written whole or not at all, and never twice",
  async (failpoint, before) => {
    const text =
      "route: {channels: [chat], group_by: [host], group_wait: 0s, escalate: [{after: 1h, channels: [chat]}]}";
    const routes = routesOf(text);
    const deps = { routes: () => routes, silences };
    const alerts = await insertAll([{}, {}]);
    await postgres.transaction(async (sql) => {
      await createTell(deps)(
        sql,
        alerts.map((alert) => ({ kind: "raised", alert })),
      );
    });
    const script = fileURLToPath(new URL("flush-and-die.testing.ts", import.meta.url));
    const child = spawn(process.execPath, [script, database.url, failpoint, text], { stdio: "inherit" });
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    const count = async () => (await postgres.sql`select from deliveries`).length;
    expect(await count()).toBe(before);
    // The server may take a moment to see that the process is gone, and until then its group is left to it.
    await vi.waitFor(async () => {
      await createFlusher({ ...deps, postgres }).run();
      expect(await count()).toBe(1);
    }, 10_000);
    await createFlusher({ ...deps, postgres }).run();
    expect(await count()).toBe(1);
  },
);

test("a group of an unknown route is awaited once it is due, until others had their time", async () => {
  const routes = routesOf("route: {channels: [chat], group_by: [host], group_wait: 10m}");
  const deps = { routes: () => routes, silences };
  const alerts = await insertAll([{}]);
  await postgres.transaction(async (sql) => {
    await createTell(deps)(
      sql,
      alerts.map((alert) => ({ kind: "raised", alert })),
    );
  });
  await postgres.sql`update notification_groups set route = 'gone'`;
  const flusher = createFlusher({ ...deps, postgres, graceMs: 60_000 });
  expect(await flusher.nextDue()).toBeUndefined();
  await letPass(postgres.sql, "10 minutes 10 seconds");
  expect(await flusher.run()).toBe(0);
  expect(await flusher.nextDue()).toBeLessThanOrEqual(60_000);
  await letPass(postgres.sql, "2 minutes");
  expect(await flusher.run()).toBeGreaterThan(0);
});

test("a run is bounded, and what is left is due at once", async () => {
  const routes = routesOf("route: {channels: [chat], group_by: [host], group_wait: 0s, repeat_interval: 4h}");
  const deps = { routes: () => routes, silences };
  const alerts = await insertAll(Array.from({ length: 45 }, (_, n) => ({ server_hostname: `host-${n}` })));
  await postgres.transaction(async (sql) => {
    await createTell(deps)(
      sql,
      alerts.map((alert) => ({ kind: "raised", alert })),
    );
  });
  const flusher = createFlusher({ ...deps, postgres, maxRounds: 2 });
  expect(await flusher.run()).toBe(40);
  expect(await flusher.nextDue()).toBe(0);
  expect(await flusher.run()).toBe(5);
  expect(await flusher.nextDue()).toBeGreaterThan(0);
  expect(await postgres.sql`select from deliveries`).toHaveLength(45);
});

test("groups that together have more rows than one look reads are looked at one after the other", async () => {
  const routes = routesOf("route: {channels: [chat], group_by: [host], group_wait: 0s}");
  const deps = { routes: () => routes, silences };
  const alerts = await insertAll([{ server_hostname: "a" }, { server_hostname: "b" }]);
  await postgres.transaction(async (sql) => {
    await createTell(deps)(
      sql,
      alerts.map((alert) => ({ kind: "raised", alert })),
    );
    await sql`insert into notification_group_members (group_id, alert_id, kind, added_at)
      select group_id, gen_random_uuid(), 'raised', now() from notification_groups, generate_series(1, 2999)`;
  });
  const flusher = createFlusher({ ...deps, postgres, maxRounds: 1 });
  expect(await flusher.run()).toBe(1);
  expect(await flusher.nextDue()).toBe(0);
  expect(await flusher.run()).toBe(1);
  expect(await postgres.sql`select from deliveries`).toHaveLength(2);
});
