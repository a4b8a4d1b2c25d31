import { describe, expect, test, vi } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { ChannelError, type OpenChannel, type Send } from "../channels/channel.ts";
import { createMemory } from "./memory.testing.ts";
import type { DeliveryStore } from "./store.ts";
import { createWorker, type WorkerDeps } from "./worker.ts";

const noted: Send = async () => ({});

const open = (
  store: DeliveryStore,
  sends: Readonly<Record<string, Send>>,
  { policy, ...deps }: Partial<WorkerDeps> = {},
) =>
  createWorker({
    store,
    channels: () => channelsOf(sends),
    log: createLog({ name: "test", level: "silent" }),
    metrics: createMetrics("test"),
    random: () => 1,
    now: () => Date.parse("2026-11-21T12:00:00Z"),
    policy: { closeMs: 1000, ...policy },
    ...deps,
  });

const opened = new Map<string, OpenChannel>();

/** The same channel each time it is asked for, as long as it sends the same way. */
function channelsOf(sends: Readonly<Record<string, Send>>): ReadonlyMap<string, OpenChannel> {
  for (const [name, send] of Object.entries(sends)) {
    if (opened.get(name)?.send !== send) opened.set(name, { name, type: "test", send });
  }
  return new Map([...opened].filter(([name]) => name in sends));
}

describe("the worker", () => {
  test("delivers all that is due, no more of a channel at once than allowed", async () => {
    const { store, outcomes } = createMemory(Array.from({ length: 20 }, (_, n) => `a/${n}`));
    let underWay = 0;
    let most = 0;
    const send: Send = async () => {
      most = Math.max(most, (underWay += 1));
      await Promise.resolve();
      underWay -= 1;
      return {};
    };
    await using worker = open(store, { a: send }, { policy: { limit: 3 } });
    expect(await worker.run()).toBe(20);
    expect(outcomes()).toHaveLength(20);
    expect(most).toBe(3);
  });

  test("writes every outcome it knows before it claims more, and several at once", async () => {
    const { store, order } = createMemory(Array.from({ length: 8 }, (_, n) => `a/${n}`));
    await using worker = open(store, { a: noted }, { policy: { limit: 4 } });
    await worker.run();
    expect(order).toEqual(["claim a 4", "record 4", "claim a 4", "record 4", "claim a 4"]);
  });

  test("as long as an outcome is not written nothing further is claimed, on no channel", async () => {
    const { store, pending, order } = createMemory(["a/1"]);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const record: DeliveryStore["record"] = async (attempts) => {
      begun.resolve();
      await gate.promise;
      await store.record(attempts);
    };
    await using worker = open({ ...store, record }, { a: noted, b: async () => ({}) });
    worker.wake();
    await begun.promise;
    pending.set("b/1", 0);
    worker.wake();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(["claim a 8, b 8"]);
    gate.resolve();
    await worker.run();
    expect(order.slice(0, 3)).toEqual(["claim a 8, b 8", "record 1", expect.stringMatching(/^claim/)]);
  });

  test("an outcome that cannot be written is tried until it is, and nothing is sent again", async () => {
    const { store, faults, outcomes } = createMemory(["a/1"]);
    faults.records = 3;
    const sent: string[] = [];
    await using worker = open(store, { a: async ({ id }) => (sent.push(id), {}) });
    await worker.run();
    expect(sent).toEqual(["a/1"]);
    expect(outcomes()).toEqual(["a/1 delivered"]);
  });

  test("a channel that does not answer keeps no other one waiting, and none of its own behind it is claimed", async () => {
    const { store, pending, outcomes } = createMemory(["dead/1", "dead/2", "dead/3", "live/1"]);
    const gate = Promise.withResolvers<void>();
    const dead: Send = async () => {
      await gate.promise;
      throw new Error("timed out");
    };
    await using worker = open(store, { dead, live: noted }, { policy: { limit: 2 } });
    worker.wake();
    await vi.waitFor(() => expect(outcomes()).toEqual(["live/1 delivered"]));
    pending.set("live/2", 0);
    worker.wake();
    await vi.waitFor(() => expect(outcomes()).toEqual(["live/1 delivered", "live/2 delivered"]));
    expect([...pending.keys()]).toEqual(["dead/3"]);
    gate.resolve();
    await vi.waitFor(() => expect(outcomes()).toContain("dead/3 again"));
  });

  test("an attempt that does not end is given up, also when the channel does not heed its signal", async () => {
    const { store, outcomes } = createMemory(["a/1"]);
    await using worker = open(store, { a: () => new Promise(() => {}) }, { policy: { attemptMs: 20 } });
    await worker.run();
    expect(outcomes()).toEqual(["a/1 again"]);
  });

  test("a receiver that is away is left alone, put off in one statement, then probed once", async () => {
    const { store, pending, order, outcomes } = createMemory(Array.from({ length: 10 }, (_, n) => `a/${n}`));
    const receiver = { isAway: true };
    const clock = { elapsed: 0 };
    const send: Send = async () => {
      if (receiver.isAway) throw new ChannelError("unavailable", true, { status: 503 });
      return {};
    };
    await using worker = open(
      store,
      { a: send, b: noted },
      { elapsed: () => clock.elapsed, policy: { limit: 4, breakAfter: 3, firstBreakMs: 1000 } },
    );
    await worker.run();
    expect(worker.circuits().get("a")).toEqual({ state: "open", since: "2026-11-21T12:00:00.000Z" });
    expect(worker.circuits().get("b")).toMatchObject({ state: "closed" });
    expect(outcomes()).toHaveLength(4);
    expect(order.filter((step) => step.startsWith("put off"))).toEqual(["put off a"]);
    await worker.run();
    expect(outcomes()).toHaveLength(4);
    clock.elapsed = 1000;
    await worker.run();
    expect(outcomes()).toHaveLength(5);
    receiver.isAway = false;
    clock.elapsed = 3000;
    await worker.run();
    expect(worker.circuits().get("a")).toMatchObject({ state: "closed" });
    expect(pending.size).toBe(0);
    expect(order.filter((step) => step.startsWith("put off"))).toHaveLength(2);
  });

  test("channels come and go while it runs; one configured anew gets a new chance", async () => {
    const { store, pending, outcomes } = createMemory(["a/1", "b/1"]);
    const sends: Record<string, Send> = {
      a: async () => {
        throw new Error("refused");
      },
    };
    await using worker = open(store, sends, { policy: { breakAfter: 1 } });
    await worker.run();
    expect(worker.circuits().get("a")?.state).toBe("open");
    expect([...pending.keys()]).toEqual(["b/1"]);
    pending.set("a/1", 1);
    Object.assign(sends, { a: noted, b: noted });
    await worker.run();
    expect(outcomes()).toEqual(["a/1 again", "a/1 delivered", "b/1 delivered"]);
    delete sends["a"];
    expect([...worker.circuits().keys()]).toEqual(["b"]);
  });

  test("what is due by now is written before it claims; a failure of that keeps nobody waiting", async () => {
    const { store, pending, outcomes } = createMemory([]);
    const flusher = {
      async run() {
        pending.set("a/1", 0);
        throw new Error("a template is broken");
      },
      nextDue: async () => undefined,
    };
    await using worker = open(store, { a: noted }, { flusher });
    await worker.run();
    expect(outcomes()).toEqual(["a/1 delivered"]);
  });

  test("what cannot be written is tried again at the next regular look, not at once", async () => {
    const { store } = createMemory([]);
    const times = { run: 0, asked: 0 };
    const flusher = {
      async run() {
        if ((times.run += 1) < 3) throw new Error("a template is broken");
        return 0;
      },
      nextDue: async () => ((times.asked += 1), times.run < 3 ? 0 : undefined),
    };
    await using slow = open(store, { a: noted }, { flusher, policy: { pollMs: 60_000 } });
    await slow.run();
    expect(times).toEqual({ run: 1, asked: 0 });
    await using quick = open(store, { a: noted }, { flusher, policy: { pollMs: 30 } });
    await quick.run();
    await vi.waitFor(() => expect(times.asked).toBeGreaterThan(0));
    expect(times.run).toBeGreaterThan(2);
  });

  test.for([
    { pages: 3, full: 2 },
    { pages: 20, full: 1000 },
  ])(
    "what is beyond its horizon is swept page by page, but not for ever: $pages",
    async ({ pages, full }) => {
      const { store, order } = createMemory([]);
      let swept = 0;
      const sweep: DeliveryStore["sweep"] = async () => ({
        stranded: (swept += 1) > full ? 1 : 1000,
        givenUp: [],
      });
      await using worker = open({ ...store, sweep }, { a: noted });
      await worker.run();
      expect(swept).toBe(pages);
      expect(order).toEqual(["claim a 8"]);
    },
  );

  test("it looks when something is due by itself", async () => {
    const { store, pending, outcomes } = createMemory([]);
    let isDue = false;
    const flusher = {
      run: async () => (isDue ? pending.set("a/1", 0).size : 0),
      nextDue: async () => ((isDue = true), 30),
    };
    await using worker = open(store, { a: noted }, { flusher, policy: { pollMs: 60_000 } });
    worker.wake();
    await vi.waitFor(() => expect(outcomes()).toEqual(["a/1 delivered"]));
  });

  test("a retry is made when its time has come, without waiting for the next look", async () => {
    const { store, pending, outcomes } = createMemory(["a/1"]);
    let fails = true;
    const send: Send = async ({ id }) => {
      if (!fails) return {};
      fails = false;
      pending.set(id, 1);
      throw new Error("refused");
    };
    await using worker = open(store, { a: send }, { policy: { pollMs: 60_000, firstBackoffMs: 30 } });
    worker.wake();
    await vi.waitFor(() => expect(outcomes()).toEqual(["a/1 again", "a/1 delivered"]));
  });

  test("run rejects when the database is away, and the next one works", async () => {
    const { store, faults } = createMemory(["a/1"]);
    faults.claims = 1;
    await using worker = open(store, { a: noted });
    await expect(worker.run()).rejects.toThrow("away");
    expect(await worker.run()).toBe(1);
  });

  test("woken many times it looks once more, and misses nothing", async () => {
    const { store, order, pending, outcomes } = createMemory(["a/1"]);
    const gate = Promise.withResolvers<object>();
    await using worker = open(store, { a: () => gate.promise });
    worker.wake();
    await vi.waitFor(() => expect(order).toHaveLength(1));
    pending.set("a/2", 0);
    for (let n = 0; n < 100; n += 1) worker.wake();
    gate.resolve({});
    await vi.waitFor(() => expect(outcomes()).toHaveLength(2));
    expect(order.length).toBeLessThan(8);
  });
});

describe("when the worker stops", () => {
  test("what is due is delivered first, and nothing is claimed afterwards", async () => {
    const { store, pending, outcomes, order } = createMemory(["a/1", "a/2"]);
    const worker = open(store, { a: noted });
    await worker[Symbol.asyncDispose]();
    expect(outcomes()).toEqual(["a/1 delivered", "a/2 delivered"]);
    const steps = order.length;
    pending.set("a/3", 0);
    worker.wake();
    await worker[Symbol.asyncDispose]();
    expect(order).toHaveLength(steps);
  });

  test("what is under way is waited for, then given up, and its outcome is written", async () => {
    const { store, pending, order, outcomes } = createMemory(["a/1"]);
    const worker = open(store, { a: () => new Promise(() => {}) }, { policy: { flushMs: 20, closeMs: 60 } });
    worker.wake();
    await vi.waitFor(() => expect(order).toHaveLength(1));
    const stopped = worker[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(order.at(-1)).toMatch(/^claim/));
    await stopped;
    expect(outcomes()).toEqual(["a/1 again"]);
    expect([...pending.keys()]).toEqual([]);
  });

  test("a database that is away does not keep it", async () => {
    const { store, faults, outcomes } = createMemory(["a/1"]);
    const worker = open(store, { a: noted }, { policy: { flushMs: 20, closeMs: 50 } });
    faults.records = Number.POSITIVE_INFINITY;
    worker.wake();
    await worker[Symbol.asyncDispose]();
    faults.claims = Number.POSITIVE_INFINITY;
    await worker[Symbol.asyncDispose]();
    expect(outcomes()).toEqual([]);
  });
});
