import type { WindowCondition } from "./state.ts";

/**
 * Told of what is in a window in order of time, everything of one time together. Answers the latest time
 * from which on what it was told satisfies the condition; `never` while nothing does. So the window
 * (after, t] satisfies it if, and only if, the answer at t is later than `after`.
 */
export type LatestStart = (time: number, shown: readonly (readonly string[])[]) => number;

export const never = Number.NEGATIVE_INFINITY;

/** For every condition that asks what members show. */
export function createLatestStart(condition: Exclude<WindowCondition, { kind: "count" }>): LatestStart {
  if (condition.kind === "distinct") return latestDistinct(condition.atLeast);
  if (condition.kind === "rules") return latestRules(condition.anyOf);
  return latestSequence(condition.length);
}

/** Only the values that were shown last matter, as many as are asked for. */
function latestDistinct(atLeast: number): LatestStart {
  const times = new Map<string, number>();
  return (time, shown) => {
    for (const [value = ""] of shown) {
      times.delete(value);
      times.set(value, time);
    }
    for (const value of times.keys()) {
      if (times.size <= atLeast) break;
      times.delete(value);
    }
    const [oldest = never] = times.values();
    return times.size === atLeast ? oldest : never;
  };
}

function latestRules(anyOf: readonly number[]): LatestStart {
  const times = new Map<number, number>();
  return (time, shown) => {
    for (const rule of shown.flat()) times.set(Number(rule), time);
    return startOfRules(anyOf, times);
  };
}

/** The latest time since when all rules of one of the sets are seen, by the last time of each rule. */
export function startOfRules(anyOf: readonly number[], times: ReadonlyMap<number, number>): number {
  const starts = anyOf.map((set) => {
    let start = Number.POSITIVE_INFINITY;
    for (let rest = set; rest !== 0; rest &= rest - 1) {
      start = Math.min(start, times.get(31 - Math.clz32(rest & -rest)) ?? never);
    }
    return start;
  });
  return Math.max(never, ...starts);
}

/** Keeps for every number of leading rules the latest start of a sequence of them. */
function latestSequence(length: number): LatestStart {
  const starts = Array.from({ length: length + 1 }, () => never);
  return (time, shown) => {
    starts[0] = time;
    // From the end, so that no member of this time is used twice.
    for (let end = length; end > 0; end -= 1) starts[end] = bestStart(starts, shown, end);
    return starts[length] ?? never;
  };
}

/** The latest start of the first `end` rules, of which any number of the last ones may be shown now. */
function bestStart(starts: readonly number[], shown: readonly (readonly string[])[], end: number): number {
  let best = starts[end] ?? never;
  const matching = createMatching(shown);
  for (let first = end - 1; first >= 0 && matching(String(first)); first -= 1) {
    best = Math.max(best, starts[first] ?? never);
  }
  return best;
}

/** Gives each rule it is asked for a member of its own, by augmenting paths; false when there is none left. */
function createMatching(shown: readonly (readonly string[])[]): (rule: string) => boolean {
  const ruleOf = new Map<number, string>();
  function place(rule: string, tried: Set<number>): boolean {
    return shown.some((facts, member) => {
      if (tried.has(member) || !facts.includes(rule)) return false;
      tried.add(member);
      const other = ruleOf.get(member);
      if (other !== undefined && !place(other, tried)) return false;
      ruleOf.set(member, rule);
      return true;
    });
  }
  return (rule) => place(rule, new Set());
}
