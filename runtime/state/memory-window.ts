import { createMembers } from "./members.ts";
import type { Members } from "./members.ts";
import type { BucketMembers, WindowMember, WindowName } from "./state.ts";

/** A member with what it shows to the condition, and the text it is held under in every adapter. */
export interface HeldMember extends WindowMember {
  readonly facts: readonly string[];
  readonly entry: string;
}

/**
 * A window and, because a member lies in the windows of positions of two buckets at the most (its own
 * and the next one), what of it is not confirmed for either.
 */
export interface Window {
  readonly members: Members<HeldMember>;
  readonly pending: { readonly own: Members; readonly next: Members };
  /** When each fact was shown last, by members that had to go too; it may hold some of the floor and before. */
  readonly latest: Map<string, number>;
  /** Every offered event later than this was taken in. */
  floor: number;
  /** Of those, every one later than this is still there. */
  cut: number;
}

export function createWindow(): Window {
  const pending = { own: createMembers(), next: createMembers() };
  const [floor, cut] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return { members: createMembers<HeldMember>(), pending, latest: new Map(), floor, cut };
}

/** Takes a member in that is later than `floor`, and lets go what is not, and the oldest members and facts beyond their limits. */
export function take(
  window: Window,
  held: HeldMember,
  { floor, limit, facts }: { readonly floor: number; readonly limit: number; readonly facts: number },
): void {
  const { members, pending, latest, cut } = window;
  for (const fact of held.facts) latest.set(fact, Math.max(held.time, latest.get(fact) ?? held.time));
  if (held.time >= cut && members.add(held)) {
    pending.own.add(held);
    pending.next.add(held);
  }
  if (floor > window.floor) {
    window.floor = floor;
    for (const part of [members, pending.own, pending.next]) part.trim(floor);
  }
  evict(window, limit);
  forgetFacts(window, facts);
}

export function confirmIn(
  { pending }: Window,
  { timespanMs }: WindowName,
  recorded: readonly BucketMembers[],
): void {
  for (const { bucket, members } of recorded) {
    for (const { member, time } of members) {
      const part = Math.floor(time / timespanMs) === bucket ? pending.own : pending.next;
      part.remove(member);
    }
  }
}

/** Which of one time go first depends on their texts alone, so that the order of arrival does not matter. */
function evict(window: Window, limit: number): void {
  const { members, pending } = window;
  const surplus = members.size() - limit;
  if (surplus <= 0) return;
  const oldest = members.oldest(surplus).toSorted((a, b) => a.time - b.time || byBytes(a.entry, b.entry));
  for (const { member, time } of oldest.slice(0, surplus)) {
    for (const part of [members, pending.own, pending.next]) part.remove(member);
    window.cut = time;
  }
}

function forgetFacts({ latest, floor }: Window, limit: number): void {
  if (latest.size <= limit) return;
  for (const [fact, time] of latest) if (time <= floor) latest.delete(fact);
  while (latest.size > limit) {
    const [oldest] = [...latest].reduce((a, b) => ((a[1] - b[1] || byBytes(a[0], b[0])) <= 0 ? a : b));
    latest.delete(oldest);
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
