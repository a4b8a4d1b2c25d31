import type { WindowMember } from "./state.ts";

/** A set of members in order of time, then member; appending in order costs O(log n). */
export interface Members<Kept extends WindowMember = WindowMember> {
  /** False when it is in already. */
  add(kept: Kept): boolean;
  has(member: string): boolean;
  remove(member: string): void;
  size(): number;
  /** Removes members of this time and earlier. */
  trim(upTo: number): void;
  /** How many lie in (after, upTo]. */
  count(after: number, upTo: number): number;
  /** Those in (after, upTo], in order. */
  between(after: number, upTo: number): readonly Kept[];
  /** The times of the first member later than `time`, and of the last of those up to it. */
  firstAfter(time: number): number | undefined;
  lastUpTo(time: number): number | undefined;
  /** The oldest ones: this many, and all others of the time of the last of them. */
  oldest(count: number): readonly Kept[];
}

/** By time, then member, compared by code units as everywhere in JavaScript. */
export function inOrder(members: readonly WindowMember[]): readonly WindowMember[] {
  return members.toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
}

export function createMembers<Kept extends WindowMember = WindowMember>(): Members<Kept> {
  const times = new Map<string, number>();
  const sorted: Kept[] = [];

  return {
    add(kept) {
      if (times.has(kept.member)) return false;
      times.set(kept.member, kept.time);
      sorted.splice(position(sorted, kept), 0, kept);
      return true;
    },
    has: (member) => times.has(member),
    size: () => sorted.length,
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
    lastUpTo: (time) => sorted[after(sorted, time) - 1]?.time,
    oldest: (count) => sorted.slice(0, after(sorted, sorted[count - 1]?.time ?? Number.NEGATIVE_INFINITY)),
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
