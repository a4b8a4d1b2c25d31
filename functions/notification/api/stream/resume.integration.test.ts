import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { insertEpisode, readStream } from "./reader.testing.ts";
import { ask, join, openStreamRig, patience, type StreamRig } from "./stream-rig.testing.ts";
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

describe("a reader that comes back", () => {
  test("is told of exactly what changed meanwhile, each once", async () => {
    const reader = await join(stream);
    const seen = await insertEpisode(admin);
    await expect.poll(() => reader.alerts(), patience).toEqual([seen]);
    await reader.leave();
    const missed: string[] = [];
    for (let count = 0; count < 20; count += 1) missed.push(await insertEpisode(admin));
    const returned = await join(stream, reader.lastId());
    const after = await insertEpisode(admin);
    await expect.poll(() => returned.alerts(), patience).toContain(after);
    expect(returned.alerts()).toEqual([...missed, after]);
    await returned.leave();
  });

  test("is told of more than a page, while others are told of what changes", async () => {
    const { seen } = await cursorNow();
    await admin.unsafe(manyTransactions(1200));
    const other = await join(stream);
    const returned = await join(stream, seen);
    const during: string[] = [];
    for (let count = 0; count < 20; count += 1) during.push(await insertEpisode(admin));
    await expect.poll(() => returned.alerts().length, patience).toBe(1220);
    expect(new Set(returned.alerts()).size).toBe(1220);
    await expect.poll(() => other.alerts(), patience).toEqual(during);
    await Promise.all([other.leave(), returned.leave()]);
  });

  test("with a cursor of another database is told to begin anew", async () => {
    const reader = await join(stream, "9000000000000000000:9000000000000000001:");
    await expect.poll(() => reader.heard.map(({ event }) => event), patience).toContain("reset");
    const id = await insertEpisode(admin);
    await expect.poll(() => reader.alerts(), patience).toEqual([id]);
    await reader.leave();
  });

  test.for(["", "x", "1:2", "5:2:", "1:9:9", "1:9:4,3", "0:0:", "1:99999999999999999999:", "-1:1:"])(
    "with %j, which is no cursor, begins now",
    async (text) => {
      await insertEpisode(admin);
      const reader = await join(stream, text);
      const id = await insertEpisode(admin);
      await expect.poll(() => reader.alerts(), patience).toEqual([id]);
      await reader.leave();
    },
  );
});

describe("a reader that does not keep up", () => {
  test("is cut off, and the others go on", async () => {
    stream = rig.open({ limits: { maxBufferedBytes: 2000, restMs: 1 } });
    const slow = await stream.handler(ask());
    const quick = await join(stream);
    const told: string[] = [];
    for (let count = 0; count < 40; count += 1) {
      told.push(await insertEpisode(admin));
      await expect.poll(() => quick.alerts().length, patience).toBe(told.length);
    }
    await expect(slow.text()).rejects.toThrow("too slow");
    expect(quick.alerts()).toEqual(told);
    await quick.leave();
  });

  test("gets what it missed at its own pace", async () => {
    const { seen } = await cursorNow();
    await admin.unsafe(manyTransactions(1200));
    stream = rig.open({ limits: { maxBufferedBytes: 200_000 } });
    const response = await stream.handler(ask(seen));
    // Nobody reads yet: it waits before the third page.
    await expect.poll(() => rig.looks(), patience).toBe(3);
    const reader = readStream(response);
    await expect.poll(() => reader.alerts().length, patience).toBe(1200);
    await reader.leave();
  });
});

async function cursorNow(): Promise<{ readonly seen: string }> {
  const [row] = await admin<{ seen: string }[]>`select pg_current_snapshot()::text as seen`;
  return { seen: row?.seen ?? "" };
}

function manyTransactions(count: number): string {
  return `do $$ begin perform set_config('synchronous_commit', 'off', false); for n in 1..${count} loop
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed)
    values (gen_random_uuid(), now(), gen_random_uuid(), now(), now(), now(), 1, 'Failed logins', 'SECURITY',
      'HIGH', '${randomUUID()}', 'r1', 'Rule', 'user_login');
    commit;
  end loop; end $$`;
}
