import { createGroups } from "./memory-groups.ts";
import { checkCondition, entryTag, factLimit, factsOf, memberLimit } from "./facts.ts";
import { evaluate } from "./memory-evaluate.ts";
import { confirmIn, createWindow, take } from "./memory-window.ts";
import type { Window } from "./memory-window.ts";
import { StateLostError, windowGraceMs, windowIdleMs } from "./state.ts";
import type { Coverage, State, WindowAnswer, WindowLimits, WindowStep } from "./state.ts";

export interface MemoryWindowsOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly limits: WindowLimits;
}

/** The windows of a State in memory; at first none is covered. */
export function createMemoryWindows({
  now,
  limits,
}: MemoryWindowsOptions): Pick<State, "window" | "confirm" | "isCurrent" | "rebuild"> {
  const groups = createGroups<Window>(now);
  const covered = new Map<string, number>();

  /** Takes the member in; answers its window, or why it was left out. */
  function insert(step: WindowStep, from: number): Window | "late" | "capped" {
    checkCondition(step.condition);
    const retainedMs = step.timespanMs + step.latenessMs;
    const existing = groups.get(step.key);
    const known = existing?.floor ?? now() - retainedMs - windowGraceMs;
    const floor = Math.max(known, from, step.time - retainedMs);
    if (step.time <= floor) return "late";
    if (!existing && groups.size(step.series) >= limits.groupsPerSeries) return "capped";

    const window = existing ?? createWindow();
    const { member, time } = step;
    const facts = factsOf(step);
    const held = { member, time, facts, entry: entryTag(step, facts) + member };
    take(window, held, { floor, limit: memberLimit(step, limits), facts: factLimit(step, limits) });
    groups.set(step, window, now() + retainedMs + windowIdleMs);
    return window;
  }

  return {
    window: async (step) => {
      const from = covered.get(step.series);
      if (from === undefined) throw new StateLostError(`The windows of ${step.series} are not covered.`);
      const window = insert(step, from);
      if (window === "capped") return { qualified: [], late: false, capped: true };
      return toAnswer(window === "late" ? window : evaluate(window, step));
    },

    confirm: async (name, recorded) => {
      const window = groups.get(name.key);
      if (window) confirmIn(window, name, recorded);
    },

    isCurrent: async (series) => series.every((name) => covered.has(name)),

    rebuild: async (coverage, replay) => {
      for (const { series } of coverage) covered.delete(series);
      const from = new Map(coverage.map((part: Coverage) => [part.series, part.from]));
      await replay(async (step) => {
        insert(step, from.get(step.series) ?? Number.NEGATIVE_INFINITY);
      });
      for (const part of coverage) covered.set(part.series, part.from);
    },
  };
}

function toAnswer(result: ReturnType<typeof evaluate>): WindowAnswer {
  return result === "late" ? { qualified: [], late: true } : { qualified: result, late: false };
}
