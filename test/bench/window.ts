import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

import { createHealth } from "../../runtime/health.ts";
import { createLog } from "../../runtime/log.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import { openRedisState } from "../../runtime/state/redis.ts";
import type { State, WindowCondition, WindowStep } from "../../runtime/state/state.ts";
import { dropKeys } from "../support/cleanup.ts";
import { redis as server } from "../support/servers.ts";
import { callsPerSecond, nameOf, untilConnected } from "./callers.ts";
import { compare, type Report, type Subject } from "./measure.ts";

/** Many short ones, so that a busy moment of the machine is an outlier and not a result. */
const rounds = 41;
const groups = 800;
/** Members a window holds once it is full: one of each group every such share of event time. */
const membersPerWindow = 50;
const timespanMs = 60_000;
const stepMs = timespanMs / membersPerWindow;
const series = "bench";
const log = createLog({ name: "bench", level: "silent" });
const unit = "us/step";
const aim = { atMost: 1.1 };

/** Conditions that full windows do not satisfy, and one that they do. */
const conditions: Readonly<Record<string, WindowCondition>> = {
  "count, below the threshold": { kind: "count", atLeast: 10 * membersPerWindow },
  "distinct values, too few": { kind: "distinct", atLeast: membersPerWindow },
  "rules, one never seen": { kind: "rules", anyOf: [0b111] },
  "sequence, one never seen": { kind: "sequence", length: 3 },
};
const qualifying: WindowCondition = { kind: "count", atLeast: 3 };

/** One step of a correlation's window against a bare round trip of the same payload. */
export async function run(): Promise<readonly Report[]> {
  const memory = createMemoryState({ now: Date.now });
  await cover(memory);
  if (!server.reachable) {
    return [await compare(title(1), { rounds, unit, subjects: inMemory(memory, 1) })];
  }
  await using open = new AsyncDisposableStack();
  const prefix = `auditflow-bench-${randomUUID()}:`;
  open.defer(() => dropKeys(server.url, prefix));
  const raw = open.adopt(new Redis(server.url, { enableAutoPipelining: true }), (redis) =>
    redis.disconnect(),
  );
  const options = { url: server.url, prefix, health: createHealth(Date.now), impairs: [], log };
  const state = open.use(await openRedisState({ ...options, newId: randomUUID }));
  await untilConnected(() => cover(state));
  const bare = await bareRoundTrip(raw, state, prefix);
  const reports: Report[] = [];
  for (const callers of [1, 100]) {
    const calls = { callers, count: callers === 1 ? 250 : 1000 };
    const step = (condition: WindowCondition) => stepsOf(state, condition);
    const subjects: readonly Subject[] = [
      { name: "bare EVALSHA of the same payload", measure: () => microseconds(calls, bare) },
      ...Object.entries(conditions).map(([name, condition]) => ({
        name,
        aim: callers === 1 ? aim : undefined,
        measure: () => microseconds(calls, step(condition)),
      })),
      {
        name: "count, qualifies, and its confirmation",
        measure: () => microseconds(calls, step(qualifying)),
        note: "two round trips",
      },
      ...inMemory(memory, callers),
    ];
    // The windows are full from the first round on.
    for (const condition of [...Object.values(conditions), qualifying]) {
      await microseconds({ callers: 100, count: groups * membersPerWindow }, step(condition));
    }
    reports.push(await compare(title(callers), { rounds, unit, subjects }));
  }
  return reports;
}

function title(callers: number): string {
  return `Window steps, ${nameOf(callers)} (${groups} groups of ${membersPerWindow} members)`;
}

/** The time one call takes of all the callers', so that what is more is worse. */
async function microseconds(
  calls: Parameters<typeof callsPerSecond>[0],
  call: () => Promise<unknown>,
): Promise<number> {
  return 1_000_000 / (await callsPerSecond(calls, call));
}

function inMemory(memory: State, callers: number): readonly Subject[] {
  return Object.entries(conditions).map(([name, condition]) => ({
    name: `in memory: ${name}`,
    measure: () => microseconds({ callers, count: 500 }, stepsOf(memory, condition)),
  }));
}

/** Declares the windows complete, as a rebuild from an empty ledger does. */
async function cover(state: State): Promise<void> {
  await state.rebuild([{ series, from: Date.now() - 86_400_000 }], async () => {});
}

let steps = 0;
const startedAt = Date.now();

/** The next event: groups take turns, and event time goes on by one member's share each time round. */
function nextStep(condition: WindowCondition): WindowStep {
  steps += 1;
  const turn = Math.floor(steps / groups);
  return {
    series,
    key: `${JSON.stringify(condition)} group ${steps % groups}`,
    member: `["/auditflow/bench","AAAAAAAAAAAAAAAAAAAAAA${String(steps).padStart(12, "0")}"]`,
    value: `user-${turn % 10}`,
    rules: 1 << (turn % 2),
    time: startedAt + turn * stepMs,
    timespanMs,
    latenessMs: 0,
    window: { kind: "sliding" },
    condition,
  };
}

function stepsOf(state: State, condition: WindowCondition): () => Promise<void> {
  return async () => {
    const step = nextStep(condition);
    const { qualified, late } = await state.window(step);
    if (late) throw new Error("a step came too late");
    if (qualified.length > 0) await state.confirm(step, qualified);
  };
}

/** A script that does nothing, called with the very keys and arguments of a step that Redis was seen to get. */
async function bareRoundTrip(redis: Redis, state: State, prefix: string): Promise<() => Promise<unknown>> {
  const monitor = await redis.monitor();
  const seen = new Promise<readonly string[]>((resolve) => {
    monitor.on("monitor", (_time: string, args: readonly string[]) => {
      if (args[0]?.toLowerCase() === "evalsha" && args[3]?.startsWith(prefix)) resolve(args);
    });
  });
  const step = stepsOf(state, { kind: "count", atLeast: 10 * membersPerWindow });
  await step();
  await step();
  const [, , keys = "", ...payload] = await seen;
  monitor.disconnect();
  const hash = String(await redis.call("SCRIPT", "LOAD", "return {0}"));
  return () => redis.evalsha(hash, Number(keys), ...payload);
}
