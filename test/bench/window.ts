import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

import { createHealth } from "../../runtime/health.ts";
import { createLog } from "../../runtime/log.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import { openRedisState } from "../../runtime/state/redis.ts";
import type { State, WindowStep } from "../../runtime/state/state.ts";
import { dropKeys } from "../support/cleanup.ts";
import { redis as server } from "../support/servers.ts";
import { callsPerSecond, nameOf, untilConnected } from "./callers.ts";
import { compare, type Report, type Subject } from "./measure.ts";

const rounds = 5;
const groups = 800;
/** Members a window holds once it is full: one of each group every such share of event time. */
const membersPerWindow = 50;
const timespanMs = 60_000;
const stepMs = timespanMs / membersPerWindow;
const series = "bench";
const log = createLog({ name: "bench", level: "silent" });

/** One step of a correlation's window against a raw round trip that carries as many bytes. */
export async function run(): Promise<readonly Report[]> {
  const memory = createMemoryState({ now: Date.now });
  await cover(memory);
  if (!server.reachable) {
    return [await compare(title(1), { rounds, unit, subjects: [inMemory(memory, 1)] })];
  }
  await using open = new AsyncDisposableStack();
  const prefix = `auditflow-bench-${randomUUID()}:`;
  open.defer(() => dropKeys(server.url, prefix));
  const raw = open.adopt(new Redis(server.url, { enableAutoPipelining: true }), (redis) =>
    redis.disconnect(),
  );
  const state = open.use(
    await openRedisState({
      url: server.url,
      prefix,
      health: createHealth(Date.now),
      impairs: [],
      log,
      newId: randomUUID,
    }),
  );
  await untilConnected(() => cover(state));
  const echo = await scriptOf(raw);
  const reports: Report[] = [];
  for (const callers of [1, 100]) {
    const count = callers === 1 ? 4000 : 20_000;
    const step = (threshold: number) => stepsOf(state, threshold);
    const subjects: readonly Subject[] = [
      {
        name: "raw EVALSHA with the same arguments",
        measure: () => callsPerSecond({ callers, count }, () => echo(nextStep(membersPerWindow))),
      },
      {
        name: "window step, below the threshold",
        measure: () => callsPerSecond({ callers, count }, step(10 * membersPerWindow)),
      },
      {
        name: "window step that qualifies, and its confirmation",
        measure: () => callsPerSecond({ callers, count }, step(3)),
      },
      inMemory(memory, callers),
    ];
    // The windows are full from the first round on.
    await callsPerSecond({ callers: 100, count: groups * membersPerWindow }, step(10 * membersPerWindow));
    reports.push(await compare(title(callers), { rounds, unit, subjects }));
  }
  return reports;
}

const unit = "steps/s";

function title(callers: number): string {
  return `Window steps a second, ${nameOf(callers)} (${groups} groups of ${membersPerWindow} members)`;
}

function inMemory(memory: State, callers: number): Subject {
  return {
    name: "window step in memory, below the threshold",
    measure: () => callsPerSecond({ callers, count: 20_000 }, stepsOf(memory, 10 * membersPerWindow)),
  };
}

/** Declares the windows complete, as a rebuild from an empty ledger does. */
async function cover(state: State): Promise<void> {
  await state.rebuild([{ series, from: Date.now() - 86_400_000 }], async () => {});
}

let steps = 0;
const startedAt = Date.now();

/** The next event: groups take turns, and event time goes on by one member's share each time round. */
function nextStep(threshold: number): WindowStep {
  steps += 1;
  return {
    series,
    key: `${threshold} group ${steps % groups}`,
    member: `AAAAAAAAAAAAAAAAAAAAAA${steps}`,
    time: startedAt + Math.floor(steps / groups) * stepMs,
    timespanMs,
    latenessMs: 0,
    window: { kind: "sliding" },
    condition: { kind: "count", atLeast: threshold },
  };
}

function stepsOf(state: State, threshold: number): () => Promise<void> {
  return async () => {
    const step = nextStep(threshold);
    const { qualified, late } = await state.window(step);
    if (late) throw new Error("a step came too late");
    if (qualified.length > 0) await state.confirm(step, qualified);
  };
}

/** What a step says in numbers: its time, timespan, lateness, threshold, and how long windows are kept. */
function numbers(time: number): readonly string[] {
  return [time, timespanMs, 0, 500, 3_600_000, 600_000].map(String);
}

/** A script that does nothing, called as the window's is: three keys and ten arguments. */
async function scriptOf(redis: Redis): Promise<(step: WindowStep) => Promise<unknown>> {
  const hash = String(await redis.call("SCRIPT", "LOAD", "return {0}"));
  const generation = randomUUID();
  return ({ key, member, time }) =>
    redis.evalsha(
      hash,
      3,
      "epoch",
      "registry",
      `window:${generation}:${key.padEnd(43, "x")}`,
      generation,
      series,
      member,
      ...numbers(time),
      "",
    );
}
