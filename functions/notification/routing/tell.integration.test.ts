import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { openRouting } from "./harness.testing.ts";
import { defaultRoutes } from "./routes.ts";
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

describe("without a file", () => {
  test("every alert goes at once to every channel, under the id it always had, and nothing is remembered", async () => {
    routing.use(defaultRoutes(["console", "webhook"]));
    const [alert] = await routing.raise({});
    expect(await routing.written()).toMatchObject([
      {
        delivery_id: deriveUuid("delivery", alert?.alert_id ?? "", "console", "raised"),
        status: "pending",
        kind: "raised",
      },
      { delivery_id: deriveUuid("delivery", alert?.alert_id ?? "", "webhook", "raised"), status: "pending" },
    ]);
    expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
    expect(await routing.flusher().run()).toBe(0);
    expect(await routing.flusher().nextDue()).toBeUndefined();
  });

  test("what is suppressed is told to nobody; what is silenced is on record", async () => {
    routing.use(defaultRoutes(["console"]));
    await routing.raise({ status: "suppressed" });
    expect(await routing.brief()).toEqual([]);
    routing.silence("host:edge-2");
    await routing.raise({});
    expect(await routing.written()).toMatchObject([{ status: "muted", muted_by: "silence/s-1" }]);
  });
});

describe("a route that groups", () => {
  beforeEach(() => {
    routing.use(routesOf("route: {channels: [chat], group_by: [host], group_wait: 30s, group_interval: 5m}"));
  });

  test("waits, tells of all at once, and waits again before it tells of more", async () => {
    await routing.raise({}, { severity: "CRITICAL" }, { server_hostname: "other" });
    await routing.raise({});
    expect(await routing.brief()).toEqual([]);
    expect(await routing.flusher().nextDue()).toBeGreaterThan(20_000);
    expect(await routing.flusher().run()).toBe(0);
    await routing.letPass("31 seconds");
    expect(await routing.flusher().run()).toBe(2);
    expect((await routing.brief()).toSorted()).toEqual(["raised chat pending 1", "raised chat pending 3"]);
    expect(await routing.flusher().run()).toBe(0);
    await routing.raise({});
    await routing.letPass("31 seconds");
    expect(await routing.flusher().run()).toBe(0);
    await routing.letPass("5 minutes");
    await routing.flusher().run();
    expect((await routing.brief()).toSorted()).toEqual([
      "raised chat pending 1",
      "raised chat pending 1",
      "raised chat pending 3",
    ]);
    await routing.letPass("6 minutes");
    await routing.flusher().run();
    expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
  });

  test("a group that is closed and begins again tells of its new alerts", async () => {
    for (let round = 1; round <= 3; round += 1) {
      await routing.raise({});
      await routing.letPass("1 minute");
      await routing.flusher().run();
      expect(await routing.written()).toHaveLength(round);
      await routing.letPass("6 minutes");
      await routing.flusher().run();
      expect(await routing.groups()).toEqual({ groups: 0, members: 0 });
    }
  });

  test("two flushers at once, and one that dies before its commit, write one message", async () => {
    await routing.raise({}, {}, { server_hostname: "other" });
    await routing.letPass("31 seconds");
    const dying = routing.flusher({ failpoint: async () => Promise.reject(new Error("died")) });
    await expect(dying.run()).rejects.toThrow("died");
    expect(await routing.brief()).toEqual([]);
    await Promise.all(Array.from({ length: 4 }, () => routing.flusher().run()));
    expect((await routing.brief()).toSorted()).toEqual(["raised chat pending 1", "raised chat pending 2"]);
  });

  test("an alert that became part of another one is told of as that one, once", async () => {
    const [kept, absorbed] = await routing.raise({}, {});
    await routing.postgres
      .sql`update episodes set merged_into = ${kept?.alert_id ?? ""} where episode_id = ${absorbed?.alert_id ?? ""}`;
    await routing.letPass("31 seconds");
    await routing.flusher().run();
    expect((await routing.written()).map(({ ids }) => ids)).toEqual([[kept?.alert_id]]);
  });

  test("an alert that is resolved or gone before the message is not in it", async () => {
    const [done, gone, left] = await routing.raise({}, {}, {});
    await routing.postgres
      .sql`update episodes set status = 'resolved' where episode_id = ${done?.alert_id ?? ""}`;
    await routing.postgres.sql`delete from episodes where episode_id = ${gone?.alert_id ?? ""}`;
    await routing.letPass("31 seconds");
    await routing.flusher().run();
    const rows = await routing.written();
    expect(rows.map(({ ids, muted_by }) => [ids, muted_by])).toEqual(
      expect.arrayContaining([
        [[left?.alert_id], null],
        [[done?.alert_id], "resolved"],
      ]),
    );
    expect(rows).toHaveLength(2);
    expect(await routing.groups()).toEqual({ groups: 1, members: 0 });
  });

  test("a reopened alert is told at once, each time", async () => {
    const [alert] = await routing.raise({});
    await routing.letPass("31 seconds");
    await routing.flusher().run();
    for (const revision of [2, 4]) {
      await routing.reopen(alert, revision);
      await routing.flusher().run();
    }
    expect(await routing.brief()).toEqual([
      "raised chat pending 1",
      "reopened chat pending 1",
      "reopened chat pending 1",
    ]);
  });
});
