import { matchesRule } from "./member.ts";

/** What is known of chains: distinct members in order of time, one for each rule of a list. */
export interface Sequence {
  /** Takes the next member; times never fall. */
  add(time: number, rules: number): void;
  /** The latest time at which a complete chain begins; -Infinity when there is none. */
  latestStart(): number;
  /** The same for chains whose last member is of the newest time. */
  latestStartEndingNow(): number;
}

/**
 * Follows chains through members that come in order of time; `rules` are the indexes of the list.
 *
 * For each length of a beginning, the latest time at which such a beginning starts is enough: a chain
 * fits into a window exactly when the one that starts latest does. Members of one time may be taken in
 * any order, so they are matched with rules as a whole: `starts` is made anew, from what it was before
 * their time, with every member that joins them.
 */
export function createSequence(rules: readonly number[]): Sequence {
  const length = rules.length;
  let before: readonly number[] = [];
  let starts: readonly number[] = [Number.NaN, ...rules.map(() => Number.NEGATIVE_INFINITY)];
  let endingNow = Number.NEGATIVE_INFINITY;
  let now = Number.NEGATIVE_INFINITY;
  let ties: number[] = [];

  return {
    add(time, matched) {
      if (time !== now) {
        before = starts;
        now = time;
        ties = [];
      }
      // More members alike than there are rules cannot serve any further one.
      if (ties.filter((tie) => tie === matched).length >= length) return;
      ties.push(matched);
      const next = [time];
      const from = beginnings(rules, ties);
      for (let end = 1; end <= length; end += 1) next.push(startOf(before, from[end] ?? end, time));
      starts = next;
      endingNow = from[length] === length ? Number.NEGATIVE_INFINITY : (next[length] ?? now);
    },
    latestStart: () => starts[length] ?? Number.NEGATIVE_INFINITY,
    latestStartEndingNow: () => endingNow,
  };
}

/** A chain that goes on from a beginning of no rules starts now. */
function startOf(before: readonly number[], beginning: number, now: number): number {
  return beginning === 0 ? now : (before[beginning] ?? Number.NEGATIVE_INFINITY);
}

/**
 * For each length of a chain, the shortest beginning that `ties` can lengthen to it: distinct ties for
 * all the rules between. Shorter beginnings start later, so the shortest is the best one.
 */
function beginnings(rules: readonly number[], ties: readonly number[]): readonly number[] {
  const shortest = [0];
  const matching = createMatching(rules, ties);
  let first = 0;
  for (let next = 0; next < rules.length; next += 1) {
    while (first <= next && !matching.assign(next)) {
      matching.release(first);
      first += 1;
    }
    shortest.push(first);
  }
  return shortest;
}

/** Gives rules a tie each, moving those that have one already (augmenting paths). */
function createMatching(rules: readonly number[], ties: readonly number[]) {
  const holders: (number | undefined)[] = ties.map(() => undefined);

  function assign(place: number, tried: Set<number>): boolean {
    for (const [tie, matched] of ties.entries()) {
      if (tried.has(tie) || !matchesRule(matched, rules[place] ?? 0)) continue;
      tried.add(tie);
      const holder = holders[tie];
      if (holder !== undefined && !assign(holder, tried)) continue;
      holders[tie] = place;
      return true;
    }
    return false;
  }

  return {
    assign: (place: number) => assign(place, new Set()),
    release(place: number) {
      const tie = holders.indexOf(place);
      if (tie >= 0) holders[tie] = undefined;
    },
  };
}
