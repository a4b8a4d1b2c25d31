import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { AlertSummary } from "../alert-view.ts";
import { parseQuery } from "../query/query.ts";
import type { Occasion } from "../store/tell.ts";
import { createFlusher } from "./flusher.ts";
import type { ActiveSilences } from "./muting.ts";
import { defaultRoutes, type Routes } from "./routes.ts";
import { insertEpisode, letPass, routesOf } from "./routing.testing.ts";
import { createTell } from "./tell.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let routes: Routes;
let silenced: string | undefined;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  silenced = undefined;
  for (const table of ["deliveries", "notification_groups", "episodes"]) {
    await postgres.sql.unsafe(`delete from ${table}`);
  }
});

const silences: ActiveSilences = async () =>
  silenced === undefined ? [] : [{ silence_id: "s-1", query: parseQuery(silenced) }];
const deps = { routes: () => routes, silences };
const tell = createTell(deps);
const flush = (more = {}) => createFlusher({ ...deps, postgres, graceMs: 0, ...more });

type Change = Partial<AlertSummary>;

/** Stores alerts and tells of them in one transaction. */
async function raise(...changes: readonly Change[]): Promise<readonly AlertSummary[]> {
  return await postgres.transaction(async (sql) => {
    const alerts: AlertSummary[] = [];
    for (const change of changes)
      alerts.push(await insertEpisode(sql, { alert_id: randomUUID(), ...change }));
    await tell(
      sql,
      alerts.map((alert) => ({ kind: "raised", alert }) satisfies Occasion),
    );
    return alerts;
  });
}

async function written() {
  return await postgres.sql<
    {
      delivery_id: string;
      channel: string;
      kind: string;
      status: string;
      muted_by: string | null;
      route: string;
      ids: string[];
    }[]
  >`
    select delivery_id, channel, kind, status, muted_by, route, to_jsonb(alert_ids) as ids from deliveries
    order by created_at, kind, channel, status, muted_by`;
}
const brief = async () =>
  (await written()).map(({ channel, kind, status, ids }) => `${kind} ${channel} ${status} ${ids.length}`);
const groups = async () => {
  const [row] = await postgres.sql<{ groups: number; members: number }[]>`
    select (select count(*)::int from notification_groups) as groups,
      (select count(*)::int from notification_group_members) as members`;
  return row;
};

describe("without a file", () => {
  test("every alert goes at once to every channel, under the id it always had, and nothing is remembered", async () => {
    routes = defaultRoutes(["console", "webhook"]);
    const [alert] = await raise({});
    expect(await written()).toMatchObject([
      {
        delivery_id: deriveUuid("delivery", alert?.alert_id ?? "", "console", "raised"),
        status: "pending",
        kind: "raised",
      },
      { delivery_id: deriveUuid("delivery", alert?.alert_id ?? "", "webhook", "raised"), status: "pending" },
    ]);
    expect(await groups()).toEqual({ groups: 0, members: 0 });
    expect(await flush().run()).toBe(0);
    expect(await flush().nextDue()).toBeUndefined();
  });

  test("what is suppressed is told to nobody; what is silenced is on record", async () => {
    routes = defaultRoutes(["console"]);
    await raise({ status: "suppressed" });
    expect(await brief()).toEqual([]);
    silenced = "host:edge-2";
    await raise({});
    expect(await written()).toMatchObject([{ status: "muted", muted_by: "silence/s-1" }]);
  });
});

describe("a route that groups", () => {
  beforeEach(() => {
    routes = routesOf("route: {channels: [chat], group_by: [host], group_wait: 30s, group_interval: 5m}");
  });

  test("waits, tells of all at once, and waits again before it tells of more", async () => {
    await raise({}, { severity: "CRITICAL" }, { server_hostname: "other" });
    await raise({});
    expect(await brief()).toEqual([]);
    expect(await flush().nextDue()).toBeGreaterThan(20_000);
    expect(await flush().run()).toBe(0);
    await letPass(postgres.sql, "31 seconds");
    expect(await flush().run()).toBe(2);
    expect((await brief()).toSorted()).toEqual(["raised chat pending 1", "raised chat pending 3"]);
    expect(await flush().run()).toBe(0);
    await raise({});
    await letPass(postgres.sql, "31 seconds");
    expect(await flush().run()).toBe(0);
    await letPass(postgres.sql, "5 minutes");
    await flush().run();
    expect((await brief()).toSorted()).toEqual([
      "raised chat pending 1",
      "raised chat pending 1",
      "raised chat pending 3",
    ]);
    await letPass(postgres.sql, "6 minutes");
    await flush().run();
    expect(await groups()).toEqual({ groups: 0, members: 0 });
  });

  test("a group that is closed and begins again tells of its new alerts", async () => {
    for (let round = 1; round <= 3; round += 1) {
      await raise({});
      await letPass(postgres.sql, "1 minute");
      await flush().run();
      expect(await written()).toHaveLength(round);
      await letPass(postgres.sql, "6 minutes");
      await flush().run();
      expect(await groups()).toEqual({ groups: 0, members: 0 });
    }
  });

  test("two flushers at once, and one that dies before its commit, write one message", async () => {
    await raise({}, {}, { server_hostname: "other" });
    await letPass(postgres.sql, "31 seconds");
    const dying = flush({ failpoint: async () => Promise.reject(new Error("died")) });
    await expect(dying.run()).rejects.toThrow("died");
    expect(await brief()).toEqual([]);
    await Promise.all(Array.from({ length: 4 }, () => flush().run()));
    expect((await brief()).toSorted()).toEqual(["raised chat pending 1", "raised chat pending 2"]);
  });

  test("an alert that became part of another one is told of as that one, once", async () => {
    const [kept, absorbed] = await raise({}, {});
    await postgres.sql`update episodes set merged_into = ${kept?.alert_id ?? ""} where episode_id = ${absorbed?.alert_id ?? ""}`;
    await letPass(postgres.sql, "31 seconds");
    await flush().run();
    expect((await written()).map(({ ids }) => ids)).toEqual([[kept?.alert_id]]);
  });

  test("an alert that is resolved or gone before the message is not in it", async () => {
    const [done, gone, left] = await raise({}, {}, {});
    await postgres.sql`update episodes set status = 'resolved' where episode_id = ${done?.alert_id ?? ""}`;
    await postgres.sql`delete from episodes where episode_id = ${gone?.alert_id ?? ""}`;
    await letPass(postgres.sql, "31 seconds");
    await flush().run();
    const rows = await written();
    expect(rows.map(({ ids, muted_by }) => [ids, muted_by])).toEqual(
      expect.arrayContaining([
        [[left?.alert_id], null],
        [[done?.alert_id], "resolved"],
      ]),
    );
    expect(rows).toHaveLength(2);
    expect(await groups()).toEqual({ groups: 1, members: 0 });
  });

  test("a reopened alert is told at once, each time", async () => {
    const [alert] = await raise({});
    await letPass(postgres.sql, "31 seconds");
    await flush().run();
    for (const revision of [2, 4]) {
      await postgres.transaction(async (sql) => {
        await tell(sql, [{ kind: "reopened", alert: { ...alert!, revision } }]);
      });
      await flush().run();
    }
    expect(await brief()).toEqual([
      "raised chat pending 1",
      "reopened chat pending 1",
      "reopened chat pending 1",
    ]);
  });
});

test("repeats while an alert is neither resolved nor snoozed, and escalates while it is open", async () => {
  routes = routesOf(`
route:
  channels: [chat]
  repeat_interval: 4h
  escalate: [{after: 15m, channels: [pager]}, {after: 1h, channels: [pager, console]}]`);
  const [first] = await raise({});
  expect(await brief()).toEqual(["raised chat pending 1"]);
  await letPass(postgres.sql, "16 minutes");
  await flush().run();
  expect((await brief()).slice(1)).toEqual(["escalated pager pending 1"]);
  await postgres.sql`update episodes set status = 'acknowledged'`;
  await letPass(postgres.sql, "1 hour");
  await flush().run();
  expect(await brief()).toHaveLength(2);
  await letPass(postgres.sql, "4 hours");
  await flush().run();
  expect((await brief()).slice(2)).toEqual(["repeated chat pending 1"]);
  await postgres.sql`update episodes set snoozed_until = now() + interval '1 day'`;
  await letPass(postgres.sql, "5 hours");
  await flush().run();
  expect(await brief()).toHaveLength(3);
  await postgres.sql`update episodes set snoozed_until = now() - interval '1 second'`;
  await letPass(postgres.sql, "1 day");
  await flush().run();
  expect(await brief()).toHaveLength(4);
  await postgres.sql`update episodes set status = 'resolved' where episode_id = ${first?.alert_id ?? ""}`;
  await letPass(postgres.sql, "5 hours");
  await flush().run();
  expect(await brief()).toHaveLength(4);
  expect(await groups()).toEqual({ groups: 0, members: 0 });
});

test("a mute time is on record at once, and what it held back is told when it ends", async () => {
  routes = routesOf(
    "mute_times: {ever: {months: [january:december]}}\nroute: {channels: [chat], mute_times: [ever]}",
  );
  await raise({});
  expect(await written()).toMatchObject([{ status: "muted", muted_by: "mute_time/ever" }]);
  routes = routesOf("route: {channels: [chat]}");
  await letPass(postgres.sql, "2 days");
  await flush().run();
  expect((await brief()).toSorted()).toEqual(["raised chat muted 1", "raised chat pending 1"]);
  expect(await groups()).toEqual({ groups: 0, members: 0 });
});

describe("inhibition", () => {
  beforeEach(() => {
    routes = routesOf(`
inhibit: [{name: host-down, source: 'rule:host-down', target: 'severity:<=high', equal: [host]}]
route: {channels: [chat]}`);
  });

  test("mutes what a grave alert of the same host explains, in the same batch and later", async () => {
    const [, , critical] = await raise(
      { rule_id: "host-down", severity: "CRITICAL" },
      {},
      { severity: "CRITICAL" },
      { server_hostname: "other" },
    );
    await raise({});
    const rows = await written();
    expect(rows.filter(({ muted_by }) => muted_by === "inhibition/host-down")).toHaveLength(2);
    expect(rows.filter(({ status }) => status === "pending")).toHaveLength(3);
    expect(rows.find(({ ids }) => ids[0] === critical?.alert_id)?.status).toBe("pending");
  });

  test("ends when the source is resolved or long ago", async () => {
    await raise({ rule_id: "host-down", severity: "CRITICAL" });
    await postgres.sql`update episodes set last_seen = now() - interval '2 days'`;
    await raise({});
    await postgres.sql`update episodes set last_seen = now(), status = 'resolved'`;
    await raise({});
    expect((await written()).filter(({ status }) => status === "muted")).toEqual([]);
  });
});

test("a digest lists what came since the last one", async () => {
  routes = routesOf("route: {channels: [chat], digest: {every: 24h}}");
  await raise({}, { server_hostname: "other" });
  await letPass(postgres.sql, "12 hours");
  const [done] = await raise({});
  await postgres.sql`update episodes set status = 'resolved' where episode_id = ${done?.alert_id ?? ""}`;
  await flush().run();
  expect(await brief()).toEqual([]);
  await letPass(postgres.sql, "12 hours 1 second");
  await flush().run();
  expect(await brief()).toEqual(["digest chat pending 3"]);
  await letPass(postgres.sql, "3 days");
  await flush().run();
  expect(await brief()).toEqual(["digest chat pending 3"]);
  expect(await groups()).toEqual({ groups: 0, members: 0 });
});

test("people are told that it is over where they want to know", async () => {
  routes = routesOf("route: {channels: [chat], group_by: [], send_resolved: true}");
  await raise({}, {});
  await letPass(postgres.sql, "1 minute");
  await flush().run();
  await postgres.sql`update episodes set status = 'resolved'`;
  await letPass(postgres.sql, "5 minutes");
  await flush().run();
  expect(await brief()).toEqual(["raised chat pending 2", "resolved chat pending 2"]);
});

test("groups of a route that is gone move, with what people know of them", async () => {
  routes = routesOf(`
route:
  channels: [console]
  routes: [{name: old, channels: [chat], group_by: [host], repeat_interval: 4h}]`);
  await raise({ server_hostname: "told" });
  await letPass(postgres.sql, "1 minute");
  await flush().run();
  await raise({ server_hostname: "waits" });
  routes = routesOf("route: {channels: [webhook], repeat_interval: 4h}");
  expect(await flush({ graceMs: 600_000 }).run()).toBe(0);
  await letPass(postgres.sql, "5 hours");
  await flush().run();
  expect((await brief()).toSorted()).toEqual([
    "raised chat pending 1",
    "raised webhook pending 1",
    "repeated webhook pending 1",
  ]);
  expect(await groups()).toEqual({ groups: 2, members: 2 });
});

test("alerts that became one are repeated as one, also when each had been told alone", async () => {
  routes = routesOf("route: {channels: [chat], repeat_interval: 1h}");
  const [kept, absorbed] = await raise({}, {});
  await postgres.sql`update episodes set merged_into = ${kept?.alert_id ?? ""} where episode_id = ${absorbed?.alert_id ?? ""}`;
  for (let round = 1; round <= 2; round += 1) {
    await letPass(postgres.sql, "61 minutes");
    await flush().run();
    const repeated = (await written()).filter(({ kind }) => kind === "repeated");
    expect(repeated.map(({ ids }) => ids)).toEqual(Array.from({ length: round }, () => [kept?.alert_id]));
  }
  expect(await groups()).toEqual({ groups: 1, members: 1 });
});

test("an alert of a route that repeats is told of again when it is reopened, and then repeated", async () => {
  routes = routesOf(
    "route: {channels: [chat], repeat_interval: 1h, escalate: [{after: 15m, channels: [pager]}]}",
  );
  const [alert] = await raise({});
  await letPass(postgres.sql, "20 minutes");
  await flush().run();
  await postgres.transaction(async (sql) => {
    await tell(sql, [{ kind: "reopened", alert: { ...alert!, revision: 2 } }]);
  });
  await letPass(postgres.sql, "61 minutes");
  await flush().run();
  expect((await brief()).toSorted()).toEqual([
    "escalated pager pending 1",
    "escalated pager pending 1",
    "raised chat pending 1",
    "reopened chat pending 1",
    "repeated chat pending 1",
  ]);
});
