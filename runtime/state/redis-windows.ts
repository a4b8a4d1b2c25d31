import { digest } from "./digest.ts";
import { bitsOf, checkCondition, entryTag, factsOf } from "./facts.ts";
import { beginScript, finishScript } from "./lua/epoch.ts";
import { inOrder } from "./members.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { createWindowScripts, pendingNext, pendingOwn } from "./redis-scripts.ts";
import { StateLostError, windowLimits } from "./state.ts";
import type {
  BucketMembers,
  Coverage,
  QualifiedBucket,
  State,
  WindowAnswer,
  WindowCondition,
  WindowLimits,
  WindowName,
  WindowStep,
} from "./state.ts";

export interface RedisWindowsOptions {
  readonly prefix: string;
  readonly newId: () => string;
  readonly limits?: WindowLimits | undefined;
}

/**
 * The windows of a State in Redis. They are trusted while the epoch names the run_id of the server this
 * connection talks to, and the generation this process believes in (see redis-scripts.ts).
 */
export function createRedisWindows(
  redis: RedisConnection,
  { prefix, newId, limits = windowLimits }: RedisWindowsOptions,
): Pick<State, "window" | "confirm" | "isCurrent" | "rebuild"> {
  const keys = [`${prefix}epoch`, `${prefix}registry`] as const;
  const epoch = trackEpoch(redis, keys[0]);
  const windowKey = (key: string, generation: string) => `${prefix}window:${generation}:${digest(key)}`;
  const groupsKey = createGroupsKey(prefix);
  const scriptsOf = createWindowScripts(limits);

  /** A step as one call; `from` is the coverage of its series during a rebuild, else "". */
  function callOf(step: WindowStep, generation: string, from: string) {
    const { series, member, time, timespanMs, latenessMs, window, condition } = step;
    checkStep(step);
    const facts = factsOf(step);
    const numbers = [`${time}`, `${timespanMs}`, `${timespanMs + latenessMs}`];
    const gap = window.kind === "session" ? `${window.gapMs}` : "";
    const asked = [from, gap, textOf(condition), ...facts];
    return {
      keys: [...keys, windowKey(step.key, generation), groupsKey(series, generation)],
      args: [generation, series, member, entryTag(step, facts), ...numbers, ...asked],
    };
  }

  async function rebuild(
    coverage: readonly Coverage[],
    replay: Parameters<State["rebuild"]>[1],
  ): Promise<void> {
    const run = redis.runId();
    const from = new Map(coverage.map((part) => [part.series, String(part.from)]));
    const begun = await redis.script(beginScript, { keys, args: [run, newId(), ...from.keys()] });
    const generation = String(begun);
    await replay(async (step) => {
      if (step.time < 0) return;
      const call = callOf(step, generation, from.get(step.series) ?? "");
      await redis.script(scriptsOf(step).add, call);
    });
    if (redis.runId() !== run) throw new StateLostError("Redis was restarted during the rebuild.");
    await redis.script(finishScript, { keys, args: [generation, ...[...from].flat()] });
    epoch.remember(run, generation);
  }

  return {
    window: (step) =>
      epoch.trusting(async (generation) => {
        // Before 1970 lies what no window keeps, and what its scores could not tell.
        if (step.time < 0) return { qualified: [], late: true };
        return toAnswer(await redis.script(scriptsOf(step).window, callOf(step, generation, "")), step);
      }),
    confirm: async ({ key, timespanMs }, recorded) => {
      const generation = epoch.known();
      const entries = recorded.flatMap((part) => pendingEntries(part, timespanMs));
      if (!generation || entries.length === 0) return;
      await redis.command("ZREM", windowKey(key, generation), ...entries);
    },
    isCurrent: async (series) => {
      const [generation, ...covered] = await epoch.load(series);
      return generation !== undefined && covered.every((from) => from !== undefined);
    },
    rebuild,
  };
}

/** Names are kept, because a series is asked for again and again; those of an old generation are forgotten. */
function createGroupsKey(prefix: string) {
  const names = new Map<string, string>();
  let named = "";
  return (series: string, generation: string): string => {
    if (named !== generation) names.clear();
    named = generation;
    const name = names.get(series) ?? `${prefix}groups:${generation}:${digest(series)}`;
    names.set(series, name);
    return name;
  };
}

/** Numbers must be exact in a double and leave room for the ranges of redis-scripts.ts. */
function checkStep({ time, timespanMs, latenessMs, window, condition }: WindowStep): void {
  checkCondition(condition);
  for (const value of [time, timespanMs, latenessMs, window.kind === "session" ? window.gapMs : 0]) {
    if (Number.isInteger(value) && Math.abs(value) < pendingOwn / 2) continue;
    throw new RangeError(`A window step needs whole milliseconds below 2^43, got ${value}.`);
  }
}

/** The numbers of a condition: of `rules` the sets, as in `0,1;2`. */
function textOf(condition: WindowCondition): string {
  if (condition.kind === "rules") return condition.anyOf.map((set) => bitsOf(set).join(",")).join(";");
  return String(condition.kind === "sequence" ? condition.length : condition.atLeast);
}

/** Knows under which generation this process trusts the windows, for one life of the server. */
function trackEpoch(redis: RedisConnection, key: string) {
  let trusted: { readonly run: string; readonly generation: string } | undefined;

  async function load(series: readonly string[]): Promise<readonly (string | undefined)[]> {
    const run = redis.runId();
    const reply = await redis.command(
      "HMGET",
      key,
      "run",
      "generation",
      ...series.map((name) => `series:${name}`),
    );
    const [foundRun, ...found] = (Array.isArray(reply) ? reply : []).map((value: unknown) =>
      typeof value === "string" ? value : undefined,
    );
    const generation = foundRun === run ? found[0] : undefined;
    trusted = generation === undefined ? undefined : { run, generation };
    return [generation, ...found.slice(1)];
  }

  return {
    load,
    known: () => (trusted?.run === redis.runId() ? trusted.generation : undefined),
    remember(run: string, generation: string) {
      trusted = { run, generation };
    },
    /** Runs `work` under the generation in force, and forgets it when it proves to be another one. */
    async trusting<T>(work: (generation: string) => Promise<T>): Promise<T> {
      const run = redis.runId();
      const generation = trusted?.run === run ? trusted.generation : (await load([]))[0];
      if (generation === undefined) throw new StateLostError("The windows belong to no life of this Redis.");
      try {
        return await work(generation);
      } catch (error) {
        if (error instanceof StateLostError) trusted = undefined;
        throw error;
      }
    },
  };
}

function pendingEntries(
  { bucket, members }: BucketMembers,
  timespanMs: WindowName["timespanMs"],
): readonly string[] {
  return members.map(
    ({ member, time }) => `${Math.floor(time / timespanMs) === bucket ? "o" : "n"}${member}`,
  );
}

function toAnswer(reply: unknown, { member, time }: WindowStep): WindowAnswer {
  const [outcome, ...rest] = Array.isArray(reply) ? (reply as readonly (string | number)[]) : [1];
  const qualified: QualifiedBucket[] = [];
  for (let at = 0; at < rest.length;) {
    const [bucket = 0, crossedAt = 0, count = 0, firstSeen = 0, lastSeen = 0, entries = 0] = rest
      .slice(at, at + 6)
      .map(Number);
    at += 6;
    const members = [{ member, time }];
    for (const end = at + entries * 2; at < end; at += 2) {
      const known = String(rest[at]).slice(1);
      const score = Number(rest[at + 1]);
      if (known === member) continue;
      members.push({ member: known, time: score - (score >= pendingNext ? pendingNext : pendingOwn) });
    }
    qualified.push({ bucket, crossedAt, count, firstSeen, lastSeen, members: inOrder(members) });
  }
  return { qualified, late: outcome === 1, ...(outcome === 2 ? { capped: true } : {}) };
}
