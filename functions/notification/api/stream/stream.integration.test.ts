import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { UnavailableError } from "../../../../runtime/failure.ts";
import { createLog } from "../../../../runtime/log.ts";
import { openPostgres } from "../../../../runtime/postgres/postgres.ts";
import { insertEpisode, readStream } from "./reader.testing.ts";
import { ask, join, openStreamRig, patience, row, type StreamRig } from "./stream-rig.testing.ts";
import type { AlertStream } from "./stream.ts";

let rig: StreamRig;
let admin: StreamRig["admin"];
let stream: AlertStream;

beforeAll(async () => {
  rig = await openStreamRig();
  ({ admin } = rig);
});
afterAll(() => rig[Symbol.asyncDispose]());
beforeEach(() => {
  rig.forget();
  stream = rig.open();
});
afterEach(async () => {
  rig.stop();
  await stream[Symbol.asyncDispose]();
  await rig.untilDeaf();
});

describe("the stream of alerts", () => {
  test("tells of each new and changed alert, in few words", async () => {
    const reader = await join(stream);
    const id = await insertEpisode(admin, { severity: "CRITICAL" });
    await expect.poll(() => reader.alerts(), patience).toEqual([id]);
    await admin`update episodes set status = 'acknowledged', revision = 1, changed_by = pg_current_xact_id()
      where episode_id = ${id}`;
    await admin`select pg_notify('auditflow_alerts', '')`;
    await expect.poll(() => reader.alerts(), patience).toEqual([id, id]);
    expect(reader.heard.filter(({ event }) => event === "alert.changed").map(({ data }) => data)).toEqual([
      { alert_id: id, revision: 0, status: "open", severity: "CRITICAL", count: 1 },
      { alert_id: id, revision: 1, status: "acknowledged", severity: "CRITICAL", count: 1 },
    ]);
    await reader.leave();
  });

  test("tells that an alert became part of another one, and nothing of what is suppressed", async () => {
    const [kept, absorbed] = [await insertEpisode(admin), await insertEpisode(admin)];
    const reader = await join(stream);
    await insertEpisode(admin, { status: "suppressed" });
    await admin`update episodes set merged_into = ${kept}, changed_by = pg_current_xact_id()
      where episode_id = ${absorbed}`;
    await admin`select pg_notify('auditflow_alerts', '')`;
    const told = () => reader.heard.filter(({ event }) => event.startsWith("alert."));
    const merged = { event: "alert.merged", data: { alert_id: absorbed, merged_into: kept } };
    await expect.poll(told, patience).toEqual([merged]);
    await reader.leave();
  });

  test("tells counters at the beginning and when they have changed", async () => {
    await admin`delete from episodes`;
    stream = rig.open({ limits: { countMs: 50 } });
    const reader = await join(stream);
    const counters = () => reader.heard.filter(({ event }) => event === "counters").map(({ data }) => data);
    await expect.poll(counters, patience).toEqual([{ open: 0, critical_open: 0 }]);
    await insertEpisode(admin, { severity: "CRITICAL" });
    await expect.poll(counters, patience).toHaveLength(2);
    await insertEpisode(admin, { status: "acknowledged" });
    await insertEpisode(admin);
    await expect.poll(counters, patience).toHaveLength(3);
    expect(counters().slice(1)).toEqual([
      { open: 1, critical_open: 1 },
      { open: 2, critical_open: 1 },
    ]);
    await reader.leave();
  });

  test("misses no change whose transaction commits late", async () => {
    const reader = await join(stream);
    await using late = await openTransaction();
    const lateId = await insertEpisode(late.sql);
    const early = await insertEpisode(admin);
    await expect.poll(() => reader.alerts(), patience).toEqual([early]);
    const cursor = reader.lastId();
    await late.commit();
    await expect.poll(() => reader.alerts(), patience).toEqual([early, lateId]);
    // Also for whoever was away when it committed.
    const returned = await join(stream, cursor);
    await expect.poll(() => returned.alerts(), patience).toEqual([lateId]);
    await Promise.all([reader.leave(), returned.leave()]);
  });

  test("asks the database once for a change, however many read", async () => {
    const readers = await Promise.all([join(stream), join(stream), join(stream)]);
    await rig.untilListening();
    for (let round = 0; round < 5; round += 1) {
      const before = rig.looks();
      const id = await insertEpisode(admin);
      for (const reader of readers) await expect.poll(() => reader.alerts().at(-1), patience).toBe(id);
      expect(rig.looks() - before).toBe(1);
    }
    await Promise.all(readers.map((reader) => reader.leave()));
  });

  test("asks nothing while nobody reads", async () => {
    const reader = await join(stream);
    await rig.untilListening();
    await reader.leave();
    await expect.poll(() => rig.listeners(), patience).toBe(0);
    const before = rig.statements.length;
    // One that has a reader shows when the other one would have heard of it.
    const witness = rig.open({ store: rig.store });
    const witnessing = await join(witness);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await insertEpisode(admin));
    await expect.poll(() => witnessing.alerts(), patience).toEqual(ids);
    expect(rig.statements.length).toBe(before);
    await witnessing.leave();
    await witness[Symbol.asyncDispose]();
  });
});

describe("the end of a stream", () => {
  test("comes with a goodbye, after its life or when the process stops", async () => {
    const short = rig.open({ limits: { lifeMs: 50 } });
    const reader = await join(short);
    await reader.ended;
    expect(reader.heard.at(-1)).toEqual({ event: "bye", data: {} });
    const stopped = await join(stream);
    rig.stop();
    await stopped.ended;
    expect(stopped.heard.at(-1)).toEqual({ event: "bye", data: {} });
    await short[Symbol.asyncDispose]();
  });

  test("a quiet stream is kept alive by comments", async () => {
    stream = rig.open({ limits: { keepAliveMs: 20 } });
    const response = await stream.handler(ask());
    const body = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n:\n\n:\n\n")) text += (await body.read()).value ?? "";
    expect(text.startsWith("retry: 3000\n\n")).toBe(true);
    await body.cancel();
  });

  test("no more are served than the limit, and one that ends makes room", async () => {
    stream = rig.open({ limits: { maxClients: 2 } });
    const first = await join(stream);
    const second = await join(stream);
    const third = await stream.handler(ask());
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(third.headers.get("content-type")).toBe("application/problem+json");
    await first.leave();
    const fourth = await join(stream);
    await Promise.all([second.leave(), fourth.leave()]);
  });
});

describe("a database that goes away", () => {
  test("changes are found by looking while nothing is heard of them, and heard of again later", async () => {
    stream = rig.open({ limits: { deafMs: 100 }, url: "postgres://nobody@127.0.0.1:1/none" });
    const reader = await join(stream);
    const id = await insertEpisode(admin);
    await expect.poll(() => reader.alerts(), patience).toEqual([id]);
    await reader.leave();
  });

  test("a lost connection is made again, and what changed in between is told", async () => {
    const reader = await join(stream);
    await rig.untilListening();
    await admin`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'notification-stream' and datname = current_database()`;
    const id = await insertEpisode(admin);
    await expect.poll(() => reader.alerts(), patience).toEqual([id]);
    await expect.poll(() => rig.listeners(), patience).toBe(1);
    await reader.leave();
  });

  test("is told as such, and not by an empty stream", async () => {
    const url = "postgres://nobody@127.0.0.1:1/none";
    const log = createLog({ name: "test", level: "silent" });
    await using away = await openPostgres({ url, name: "away", log });
    stream = rig.open({ store: away, url });
    await expect(stream.handler(ask())).rejects.toThrow(UnavailableError);
  });
});

test("the predecessor's stream carries rows, read once for all its readers", async () => {
  const asked: (readonly string[])[] = [];
  stream = rig.open({ onRead: (ids) => asked.push(ids) });
  const readers = [await stream.predecessor(ask()), await stream.predecessor(ask())].map(readStream);
  await rig.untilListening();
  const id = await insertEpisode(admin);
  const told = [{ event: "alert", data: { ...row, alert_id: id } }];
  for (const reader of readers) await expect.poll(() => reader.heard, patience).toEqual(told);
  expect(asked).toEqual([[id]]);
  await Promise.all(readers.map((reader) => reader.leave()));
});

/** A transaction that is open until it is told to commit. */
async function openTransaction() {
  const own = rig.connect();
  const session = await own.reserve();
  await session`begin`;
  return {
    sql: session,
    commit: async () => void (await session`commit`),
    async [Symbol.asyncDispose]() {
      session.release();
      await own.end();
    },
  };
}
