import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { AlertSummary } from "../alert-view.ts";
import { openRouting } from "./harness.testing.ts";
import { routesOf } from "./routing.testing.ts";

let routing: Awaited<ReturnType<typeof openRouting>>;
beforeAll(async () => {
  routing = await openRouting();
});
afterAll(async () => {
  await routing[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await routing.reset();
});

test("repeats while an alert is neither resolved nor snoozed, and escalates while it is open", async () => {
  routing.use(
    routesOf(`
route:
  channels: [chat]
  repeat_interval: 4h
  escalate: [{after: 15m, channels: [pager]}, {after: 1h, channels: [pager, console]}]`),
  );
  const [first] = await routing.raise({});
  expect(await routing.brief()).toEqual(["raised chat pending 1"]);
  await routing.letPass("16 minutes");
  await routing.flusher().run();
  expect((await routing.brief()).slice(1)).toEqual(["escalated pager pending 1"]);
  await routing.postgres.sql`update episodes set status = 'acknowledged'`;
  await routing.letPass("1 hour");
  await routing.flusher().run();
  expect(await routing.brief()).toHaveLength(2);
  await routing.letPass("4 hours");
  await routing.flusher().run();
  expect((await routing.brief()).slice(2)).toEqual(["repeated chat pending 1"]);
  await routing.postgres.sql`update episodes set snoozed_until = now() + interval '1 day'`;
  await routing.letPass("5 hours");
  await routing.flusher().run();
  expect(await routing.brief()).toHaveLength(3);
  await routing.postgres.sql`update episodes set snoozed_until = now() - interval '1 second'`;
  await routing.letPass("1 day");
  await routing.flusher().run();
  expect(await routing.brief()).toHaveLength(4);
  await routing.postgres
    .sql`update episodes set status = 'resolved' where episode_id = ${first?.alert_id ?? ""}`;
  await routing.letPass("5 hours");
  await routing.flusher().run();
  expect(await routing.brief()).toHaveLength(4);
  expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
});

test("a mute time is on record at once, and what it held back is told when it ends", async () => {
  routing.use(
    routesOf(
      "mute_times: {ever: {months: [january:december]}}\nroute: {channels: [chat], mute_times: [ever]}",
    ),
  );
  await routing.raise({});
  expect(await routing.written()).toMatchObject([{ status: "muted", muted_by: "mute_time/ever" }]);
  routing.use(routesOf("route: {channels: [chat]}"));
  await routing.letPass("2 days");
  await routing.flusher().run();
  expect((await routing.brief()).toSorted()).toEqual(["raised chat muted 1", "raised chat pending 1"]);
  expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
});

describe("inhibition", () => {
  beforeEach(() => {
    routing.use(
      routesOf(`
inhibit: [{name: host-down, source: 'rule:host-down', target: 'severity:<=high', equal: [host]}]
route: {channels: [chat]}`),
    );
  });

  test("mutes what a grave alert of the same host explains, in the same batch and later", async () => {
    const [, , critical] = await routing.raise(
      { rule_id: "host-down", severity: "CRITICAL" },
      {},
      { severity: "CRITICAL" },
      { server_hostname: "other" },
    );
    await routing.raise({});
    const rows = await routing.written();
    expect(rows.filter(({ muted_by }) => muted_by === "inhibition/host-down")).toHaveLength(2);
    expect(rows.filter(({ status }) => status === "pending")).toHaveLength(3);
    expect(rows.find(({ ids }) => ids[0] === critical?.alert_id)?.status).toBe("pending");
  });

  test("ends when the source is resolved or long ago", async () => {
    await routing.raise({ rule_id: "host-down", severity: "CRITICAL" });
    await routing.postgres.sql`update episodes set last_seen = now() - interval '2 days'`;
    await routing.raise({});
    await routing.postgres.sql`update episodes set last_seen = now(), status = 'resolved'`;
    await routing.raise({});
    expect((await routing.written()).filter(({ status }) => status === "muted")).toEqual([]);
  });
});

test("an inhibition compares fields as they are written, and nothing with nothing", async () => {
  routing.use(
    routesOf(`
inhibit:
  - {name: down, source: 'rule:down', target: 'severity:<=high', equal: [host, actor]}
route: {channels: [chat]}`),
  );
  const source = { rule_id: "down", severity: "CRITICAL" } as const;
  await routing.raise(
    { ...source, server_hostname: "Edge-1", actor_id: 'a"b\\{c}' },
    { ...source, server_hostname: "edge-2", actor_id: null },
  );
  const muted = async (...changes: readonly Partial<AlertSummary>[]) => {
    const ids = (await routing.raise(...changes)).map(({ alert_id }) => alert_id);
    const rows = (await routing.written()).filter(({ status }) => status === "muted");
    return ids.map((id) => rows.some((row) => row.ids.includes(id)));
  };
  const same = { server_hostname: "Edge-1", actor_id: 'a"b\\{c}' };
  const none = { server_hostname: "edge-2", actor_id: null };
  expect(await muted(same, { ...same, server_hostname: "edge-1" }, { ...same, actor_id: null })).toEqual([
    true,
    false,
    false,
  ]);
  expect(await muted(same)).toEqual([true]);
  expect(await muted(none, { ...none, actor_id: "x" }, same)).toEqual([true, false, true]);
});

test("a route that is muted for good is looked at once, and then not before a day is over", async () => {
  routing.use(
    routesOf(
      'mute_times: {ever: {times: ["00:00-24:00"]}}\nroute: {channels: [chat], mute_times: [ever], group_by: [], group_wait: 0s}',
    ),
  );
  await routing.raise({}, {});
  expect(await routing.flusher().run()).toBe(1);
  expect(await routing.flusher().run()).toBe(0);
  expect(await routing.flusher().nextDue()).toBeGreaterThan(23 * 3_600_000);
  expect(await routing.brief()).toEqual(["raised chat muted 2"]);
});

test("an alert that was to leave its group and belongs to it after all stays, with what people know", async () => {
  routing.use(routesOf("route: {channels: [chat], repeat_interval: 1h}"));
  const [alert] = await routing.raise({});
  await routing.postgres.sql`update notification_groups set route = '', due_at = timestamptz 'epoch'`;
  expect(await routing.flusher().run()).toBeGreaterThan(0);
  expect(await routing.groups()).toEqual({ groups: 1, members: 1 });
  await routing.letPass("61 minutes");
  await routing.flusher().run();
  const rows = await routing.written();
  expect(rows.map(({ kind, route, ids }) => [kind, route, ids])).toEqual([
    ["raised", "root", [alert?.alert_id]],
    ["repeated", "root", [alert?.alert_id]],
  ]);
});

test("a digest lists what came since the last one", async () => {
  routing.use(routesOf("route: {channels: [chat], digest: {every: 24h}}"));
  await routing.raise({}, { server_hostname: "other" });
  await routing.letPass("12 hours");
  const [done] = await routing.raise({});
  await routing.postgres
    .sql`update episodes set status = 'resolved' where episode_id = ${done?.alert_id ?? ""}`;
  await routing.flusher().run();
  expect(await routing.brief()).toEqual([]);
  await routing.letPass("12 hours 1 second");
  await routing.flusher().run();
  expect(await routing.brief()).toEqual(["digest chat pending 3"]);
  await routing.letPass("3 days");
  await routing.flusher().run();
  expect(await routing.brief()).toEqual(["digest chat pending 3"]);
  expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
});

test("people are told that it is over where they want to know", async () => {
  routing.use(routesOf("route: {channels: [chat], group_by: [], send_resolved: true}"));
  await routing.raise({}, {});
  await routing.letPass("1 minute");
  await routing.flusher().run();
  await routing.postgres.sql`update episodes set status = 'resolved'`;
  await routing.letPass("5 minutes");
  await routing.flusher().run();
  expect(await routing.brief()).toEqual(["raised chat pending 2", "resolved chat pending 2"]);
});

test("groups of a route that is gone move, with what people know of them", async () => {
  routing.use(
    routesOf(`
route:
  channels: [console]
  routes: [{name: old, channels: [chat], group_by: [host], repeat_interval: 4h}]`),
  );
  await routing.raise({ server_hostname: "told" });
  await routing.letPass("1 minute");
  await routing.flusher().run();
  await routing.raise({ server_hostname: "waits" });
  routing.use(routesOf("route: {channels: [webhook], repeat_interval: 4h}"));
  expect(await routing.flusher({ graceMs: 600_000 }).run()).toBe(0);
  await routing.letPass("5 hours");
  await routing.flusher().run();
  expect((await routing.brief()).toSorted()).toEqual([
    "raised chat pending 1",
    "raised webhook pending 1",
    "repeated webhook pending 1",
  ]);
  expect(await routing.groups()).toEqual({ groups: 2, members: 2 });
});

test("alerts that became one are repeated as one, also when each had been told alone", async () => {
  routing.use(routesOf("route: {channels: [chat], repeat_interval: 1h}"));
  const [kept, absorbed] = await routing.raise({}, {});
  await routing.postgres
    .sql`update episodes set merged_into = ${kept?.alert_id ?? ""} where episode_id = ${absorbed?.alert_id ?? ""}`;
  for (let round = 1; round <= 2; round += 1) {
    await routing.letPass("61 minutes");
    await routing.flusher().run();
    const repeated = (await routing.written()).filter(({ kind }) => kind === "repeated");
    expect(repeated.map(({ ids }) => ids)).toEqual(Array.from({ length: round }, () => [kept?.alert_id]));
  }
  expect(await routing.groups()).toEqual({ groups: 1, members: 1 });
});

test("an alert of a route that repeats is told of again when it is reopened, and then repeated", async () => {
  routing.use(
    routesOf("route: {channels: [chat], repeat_interval: 1h, escalate: [{after: 15m, channels: [pager]}]}"),
  );
  const [alert] = await routing.raise({});
  await routing.letPass("20 minutes");
  await routing.flusher().run();
  await routing.reopen(alert, 2);
  await routing.letPass("61 minutes");
  await routing.flusher().run();
  expect((await routing.brief()).toSorted()).toEqual([
    "escalated pager pending 1",
    "escalated pager pending 1",
    "raised chat pending 1",
    "reopened chat pending 1",
    "repeated chat pending 1",
  ]);
});
