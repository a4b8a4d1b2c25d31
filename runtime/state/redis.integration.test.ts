import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { openRedisServer, redisServerInstalled } from "../../test/support/redis-server.ts";
import { redis as shared } from "../../test/support/servers.ts";
import { UnavailableError } from "../failure.ts";
import { createHealth } from "../health.ts";
import { openRedisState } from "./redis.ts";
import { stateConformance } from "./state.conformance.ts";
import { limitsConformance } from "./limits.conformance.ts";
import { windowProperty } from "./window-property.testing.ts";
import { windowsConformance } from "./windows.conformance.ts";
import { StateLostError } from "./state.ts";
import type { State, WindowCondition, WindowKind, WindowLimits, WindowStep } from "./state.ts";

const series = "burst@1";
const now = Date.now();

function step(member: string, changes: Partial<WindowStep> = {}): WindowStep {
  const window = {
    timespanMs: 10_000,
    latenessMs: 20_000,
    window: { kind: "sliding" } as const,
    condition: { kind: "count", atLeast: 2 } as const,
  };
  return { series, key: "group", member, time: now, ...window, ...changes };
}

/** A way to lose windows, in words and in commands. */
type Loss = readonly [string, (redis: Redis, prefix: string) => Promise<void>];

interface Opened {
  readonly state: State;
  readonly prefix: string;
  readonly health: ReturnType<typeof createHealth>;
}

async function open(
  url: string,
  { prefix = `test-${randomUUID()}:`, limits }: { prefix?: string; limits?: WindowLimits | undefined } = {},
): Promise<Opened> {
  const health = createHealth(Date.now);
  const log = pino({ level: "silent" });
  const state = await openRedisState({
    url,
    prefix,
    health,
    impairs: ["correlation"],
    log,
    newId: randomUUID,
    limits,
  });
  onTestFinished(() => state[Symbol.asyncDispose]());
  return { state, prefix, health };
}

async function connected(opened: Opened): Promise<Opened> {
  await vi.waitFor(() => expect(opened.health.statuses()[0]?.up).toBe(true), { timeout: 10_000 });
  return opened;
}

async function covered(opened: Opened): Promise<Opened> {
  await connected(opened);
  await opened.state.rebuild([{ series, from: 0 }], async () => {});
  return opened;
}

async function client(url: string): Promise<Redis> {
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    if (keys.length > 0) await redis.unlink(...(keys as string[]));
  }
  redis.disconnect();
}

async function ownServer(options: { readonly durable?: boolean } = {}) {
  const server = await openRedisServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

describe.skipIf(!shared.reachable)("Redis state on a shared server", () => {
  async function openShared(limits?: WindowLimits): Promise<State> {
    const { state, prefix } = await connected(await open(shared.url, { limits }));
    onTestFinished(() => removeKeys(shared.url, prefix));
    return state;
  }
  stateConformance("Redis state", openShared);
  windowsConformance("Redis state", openShared);
  limitsConformance("Redis state", openShared);
  windowProperty("Redis state", openShared);

  test("two replicas share windows, and each learns of a rebuild by the other", async () => {
    const one = await covered(await open(shared.url));
    onTestFinished(() => removeKeys(shared.url, one.prefix));
    const two = await connected(await open(shared.url, { prefix: one.prefix }));
    await one.state.window(step("a"));
    expect((await two.state.window(step("b"))).qualified[0]?.count).toBe(2);
  });
});

describe.skipIf(!redisServerInstalled)("Redis state on a server of its own", () => {
  test.for([
    ["everything is flushed", async (redis) => void (await redis.flushall())],
    ["the epoch is gone", async (redis, prefix) => void (await redis.del(`${prefix}epoch`))],
    ["the registry is gone", async (redis, prefix) => void (await redis.del(`${prefix}registry`))],
    [
      "one window was evicted",
      async (redis, prefix) => void (await redis.del(await redis.keys(`${prefix}window:*`))),
    ],
  ] satisfies readonly Loss[])("is lost, not silently empty, when %s", async ([why, lose]) => {
    const server = await ownServer();
    const { state, prefix } = await covered(await open(server.url));
    await state.window(step("a"));
    await lose(await client(server.url), prefix);
    // Without the registry a window that is there is still whole, but one that is not may be lost.
    const offered = step("b", why === "the registry is gone" ? { key: "another" } : {});
    await expect(state.window(offered)).rejects.toThrow(StateLostError);
    expect(await state.isCurrent([series])).toBe(false);
    await state.rebuild([{ series, from: 0 }], (add) => add(step("a")));
    expect((await state.window(step("b"))).qualified[0]?.count).toBe(2);
  });

  test("a rebuild fails when the memory is lost once more before its end", async () => {
    const server = await ownServer();
    const { state } = await covered(await open(server.url));
    const redis = await client(server.url);
    const rebuilt = state.rebuild([{ series, from: 0 }], async () => void (await redis.flushall()));
    await expect(rebuilt).rejects.toThrow(StateLostError);
    expect(await state.isCurrent([series])).toBe(false);
  });

  test("a rebuild fails when the memory is lost and rebuilt by another one before its end", async () => {
    const server = await ownServer();
    const slow = await covered(await open(server.url));
    const quick = await connected(await open(server.url, { prefix: slow.prefix }));
    const redis = await client(server.url);
    const rebuilt = slow.state.rebuild([{ series, from: 0 }], async (add) => {
      await add(step("a"));
      await redis.flushall();
      await quick.state.rebuild([{ series: "other", from: 0 }], async () => {});
    });
    await expect(rebuilt).rejects.toThrow(StateLostError);
    expect(await quick.state.isCurrent([series])).toBe(false);
  });

  test("scripts are sent again when the server forgot them", async () => {
    const server = await ownServer();
    const { state } = await covered(await open(server.url));
    await state.window(step("a"));
    await (await client(server.url)).script("FLUSH");
    expect((await state.window(step("b"))).qualified).toHaveLength(1);
  });

  test("a restarted server is another life: its windows are not trusted, though its data survived", async () => {
    const server = await ownServer({ durable: true });
    const opened = await covered(await open(server.url));
    await opened.state.window(step("a"));
    await server.kill();
    await vi.waitFor(() => expect(opened.health.statuses()[0]?.up).toBe(false));
    await expect(opened.state.window(step("b"))).rejects.toThrow(UnavailableError);
    await server.start();
    await connected(opened);
    expect(await (await client(server.url)).exists(`${opened.prefix}epoch`)).toBe(1);
    await expect(opened.state.window(step("b"))).rejects.toThrow(StateLostError);
    await opened.state.rebuild([{ series, from: 0 }], async () => {});
    expect(await opened.state.isCurrent([series])).toBe(true);
    expect((await opened.state.window(step("b"))).qualified).toEqual([]);
  });

  test("opens while the server is down, fails at once meanwhile, and connects when it comes", async () => {
    const server = await ownServer();
    await server.kill();
    const opened = await open(server.url);
    await expect(opened.state.read("k")).rejects.toThrow(UnavailableError);
    await server.start();
    await connected(opened);
    expect(await opened.state.read("k")).toBeUndefined();
  });

  test("a frozen server fails every call within its timeout, and heals", async () => {
    const server = await ownServer();
    const opened = await covered(await open(server.url));
    server.freeze();
    const calls = Array.from({ length: 20 }, (_, i) => opened.state.window(step(`m${i}`)));
    const outcomes = await Promise.allSettled(calls);
    expect(new Set(outcomes.map((outcome) => outcome.status))).toEqual(new Set(["rejected"]));
    await vi.waitFor(() => expect(opened.health.statuses()[0]?.up).toBe(false), { timeout: 10_000 });
    server.thaw();
    await connected(opened);
    expect(await opened.state.read("nothing")).toBeUndefined();
  });

  test("keys are the prefix, a word and a hash; nothing of an event appears in them", async () => {
    const server = await ownServer();
    const { state, prefix } = await covered(await open(server.url));
    await state.window(step("a", { key: "root@edge-2" }));
    await state.confirmLate(step("a", { key: "root@edge-2" }), [{ bucket: 1, members: [step("a")] }]);
    await state.write("root", 1);
    const keys = await (await client(server.url)).keys("*");
    expect(keys.filter((key) => !key.startsWith(prefix) || key.includes("root"))).toEqual([]);
    expect(keys).toHaveLength(6);
  });

  const kinds = [
    { kind: "sliding" },
    { kind: "tumbling" },
    { kind: "session", gapMs: 1000 },
  ] satisfies readonly WindowKind[];
  const conditions = [
    { kind: "count", atLeast: 3 },
    { kind: "distinct", atLeast: 3 },
    { kind: "rules", anyOf: [0b111] },
    { kind: "sequence", length: 3 },
  ] satisfies readonly WindowCondition[];
  const combinations = kinds.flatMap((window) => conditions.map((condition) => ({ window, condition })));

  test.for(combinations)("a step is one round trip: $condition.kind, $window.kind", async (asked) => {
    const server = await ownServer();
    const { state } = await covered(await open(server.url));
    const offered = (index: number) =>
      step(`m${index}`, { ...asked, value: `${index}`, rules: 1 << (index % 3) });
    await state.window(offered(0));
    const redis = await client(server.url);
    const monitor = await redis.monitor();
    onTestFinished(() => monitor.disconnect());
    const commands: string[] = [];
    monitor.on("monitor", (_time: string, [name = ""]: readonly string[], source: string) => {
      if (source !== "lua") commands.push(name.toLowerCase());
    });
    let qualified = 0;
    for (let index = 1; index <= 20; index += 1) {
      qualified += (await state.window(offered(index))).qualified.length;
    }
    await redis.ping();
    await vi.waitFor(() => expect(commands).toContain("ping"));
    expect(commands).toEqual([...Array.from({ length: 20 }, () => "evalsha"), "ping"]);
    expect(qualified).toBeGreaterThan(15);
  });

  test("a group holds so many entries, however large the flood", async () => {
    const server = await ownServer();
    const limits = { groupsPerSeries: 10, membersPerGroup: 50 };
    const { state, prefix } = await covered(await open(server.url, { limits }));
    const condition = { kind: "distinct", atLeast: 3 } as const;
    for (let index = 0; index < 500; index += 1) {
      await state.window(step(`m${index}`, { time: now + index, value: `${index}`, condition }));
    }
    const redis = await client(server.url);
    const [window = ""] = await redis.keys(`${prefix}window:*`);
    // Each member, its two pending entries and its value, and what the window knows of itself.
    expect(await redis.zcard(window)).toBe(4 * 50 + 4);
  });

  test("expired groups make room", async () => {
    const server = await ownServer();
    const limits = { groupsPerSeries: 2, membersPerGroup: 50 };
    const { state, prefix } = await covered(await open(server.url, { limits }));
    const offer = async (key: string) => (await state.window(step("m", { key }))).capped ?? false;
    expect([await offer("a"), await offer("b"), await offer("c")]).toEqual([false, false, true]);
    const redis = await client(server.url);
    const [groups = ""] = await redis.keys(`${prefix}groups:*`);
    const [oldest = ""] = await redis.zrange(groups, "0", "0");
    await redis.zadd(groups, String(Date.now() - 1), oldest);
    expect([await offer("c"), await offer("d")]).toEqual([false, true]);
    expect(await redis.zcard(groups)).toBe(2);
  });

  test("windows expire by themselves, later than their registration", async () => {
    const server = await ownServer();
    const { state, prefix } = await covered(await open(server.url));
    await state.window(step("a"));
    const redis = await client(server.url);
    const [window = ""] = await redis.keys(`${prefix}window:*`);
    const expires = Number(await redis.zscore(`${prefix}registry`, window));
    expect(await redis.pexpiretime(window)).toBeGreaterThan(expires);
    expect(expires).toBeGreaterThan(Date.now() + 3_600_000);
  });
});
