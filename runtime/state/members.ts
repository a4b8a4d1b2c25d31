import type { WindowMember } from "./state.ts";

/** A set of members in order of time, then member; appending in order costs O(log n). */
export interface Members {
  /** False when it is in already. */
  add(member: string, time: number): boolean;
  remove(member: string): void;
  /** Removes members of this time and earlier. */
  trim(upTo: number): void;
  /** How many lie in (after, upTo]. */
  count(after: number, upTo: number): number;
  /** Those in (after, upTo], in order. */
  between(after: number, upTo: number): readonly WindowMember[];
  /** The times of the first member later than `time`, and of the last of all. */
  firstAfter(time: number): number | undefined;
  newest(): number | undefined;
}

/** By time, then member, compared by code units as everywhere in JavaScript. */
export function inOrder(members: readonly WindowMember[]): readonly WindowMember[] {
  return members.toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
}

export function createMembers(): Members {
  const times = new Map<string, number>();
  const sorted: WindowMember[] = [];

  return {
    add(member, time) {
      if (times.has(member)) return false;
      times.set(member, time);
      sorted.splice(position(sorted, { member, time }), 0, { member, time });
      return true;
    },
    remove(member) {
      const time = times.get(member);
      if (time === undefined) return;
      times.delete(member);
      sorted.splice(position(sorted, { member, time }), 1);
    },
    trim(upTo) {
      for (const { member } of sorted.splice(0, after(sorted, upTo))) times.delete(member);
    },
    count: (from, upTo) => Math.max(0, after(sorted, upTo) - after(sorted, from)),
    between: (from, upTo) => sorted.slice(after(sorted, from), after(sorted, upTo)),
    firstAfter: (time) => sorted[after(sorted, time)]?.time,
    newest: () => sorted.at(-1)?.time,
  };
}

/** The index of the first element that lies later than `time`. */
function after(sorted: readonly WindowMember[], time: number): number {
  return lowest(sorted, (known) => known.time > time);
}

/** The index where the element is, or belongs. */
function position(sorted: readonly WindowMember[], { member, time }: WindowMember): number {
  return lowest(sorted, (known) => known.time > time || (known.time === time && known.member >= member));
}

/** The lowest index whose element holds; `holds` must be false up to some index and true from there. */
function lowest(sorted: readonly WindowMember[], holds: (known: WindowMember) => boolean): number {
  // In-order arrival is the common case: nothing behind it, so the end is tried first.
  const last = sorted.at(-1);
  if (last === undefined || !holds(last)) return sorted.length;
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const known = sorted[middle];
    if (known !== undefined && holds(known)) high = middle;
    else low = middle + 1;
  }
  return low;
}
