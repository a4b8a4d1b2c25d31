import { createExpiring } from "./expiring.ts";
import { createMembers, inOrder } from "./members.ts";
import type { Members } from "./members.ts";
import { StateLostError, windowGraceMs, windowIdleMs } from "./state.ts";
import type {
  BucketMembers,
  Coverage,
  QualifiedBucket,
  State,
  WindowMember,
  WindowName,
  WindowStep,
} from "./state.ts";

/**
 * A window and, because a member lies in the windows of positions of two buckets at the most (its own
 * and the next one), what of it is not confirmed for either.
 */
interface Window {
  readonly members: Members;
  readonly pending: { readonly own: Members; readonly next: Members };
  /** The window holds every offered event later than this. */
  floor: number;
  expiresAt: number;
}

/** The windows of a State in memory; at first none is covered. */
export function createMemoryWindows(
  now: () => number,
): Pick<State, "window" | "confirm" | "isCurrent" | "rebuild"> {
  const windows = createExpiring<Window>(now, (window) => window.expiresAt);
  const covered = new Map<string, number>();

  /** Adds the member; answers its window unless the event lies before everything the window keeps. */
  function insert(step: WindowStep, from: number): Window | undefined {
    const retainedMs = step.timespanMs + step.latenessMs;
    const existing = windows.get(step.key);
    const newest = Math.max(existing?.members.newest() ?? step.time, step.time);
    const known = existing?.floor ?? now() - retainedMs - windowGraceMs;
    const floor = Math.max(known, from, newest - retainedMs);
    if (step.time <= floor) return undefined;

    const window = existing ?? createWindow();
    if (window.members.add(step.member, step.time)) {
      window.pending.own.add(step.member, step.time);
      window.pending.next.add(step.member, step.time);
    }
    if (floor > window.floor) trim(window, floor);
    window.expiresAt = now() + retainedMs + windowIdleMs;
    windows.set(step.key, window);
    return window;
  }

  return {
    window: async (step) => {
      const from = covered.get(step.series);
      if (from === undefined) throw new StateLostError(`The windows of ${step.series} are not covered.`);
      const window = insert(step, from);
      if (!window || step.time - step.timespanMs < window.floor) return { qualified: [], late: true };
      return { qualified: evaluate(window, step), late: false };
    },

    confirm: async (name, recorded) => {
      const window = windows.get(name.key);
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

function createWindow(): Window {
  const pending = { own: createMembers(), next: createMembers() };
  return { members: createMembers(), pending, floor: Number.NEGATIVE_INFINITY, expiresAt: 0 };
}

function trim(window: Window, floor: number): void {
  window.floor = floor;
  for (const members of [window.members, window.pending.own, window.pending.next]) members.trim(floor);
}

function confirmIn(
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

/**
 * The buckets of the positions in [time, time + timespan) that qualify. Times are whole, so the half-open
 * ranges become (after, upTo] of the members. Qualifying windows of one bucket start less than a timespan
 * apart, so they touch: together they are one range, from the first one's start to the last one's end.
 */
function evaluate(window: Window, step: WindowStep): readonly QualifiedBucket[] {
  const { time, timespanMs } = step;
  const threshold = thresholdOf(step);
  const upTo = time + timespanMs - 1;
  if (window.members.count(time - timespanMs, upTo) < threshold) return [];

  const affected = window.members.between(time - 1, upTo);
  const qualifies = (position: WindowMember) =>
    window.members.count(position.time - timespanMs, position.time) >= threshold;
  const boundary = (Math.floor(time / timespanMs) + 1) * timespanMs;
  const split = affected.findIndex((position) => position.time >= boundary);
  const halves = split === -1 ? [affected] : [affected.slice(0, split), affected.slice(split)];
  return halves.flatMap((positions) => {
    const first = positions.find(qualifies);
    const last = positions.findLast(qualifies);
    return first && last ? [describe(window, step, [first.time, last.time])] : [];
  });
}

/** The bucket of the qualifying positions first to last. */
function describe(
  window: Window,
  step: WindowStep,
  [first, last]: readonly [number, number],
): QualifiedBucket {
  const bucket = Math.floor(first / step.timespanMs);
  const start = bucket * step.timespanMs;
  const after = first - step.timespanMs;
  const own = { member: step.member, time: step.time };
  const pending = [
    ...window.pending.next.between(after, Math.min(last, start - 1)),
    ...window.pending.own.between(Math.max(after, start - 1), last),
  ];
  return {
    bucket,
    crossedAt: first,
    count: window.members.count(after, last),
    firstSeen: window.members.firstAfter(after) ?? step.time,
    lastSeen: last,
    members: inOrder(pending.some(({ member }) => member === own.member) ? pending : [...pending, own]),
  };
}

/** What every condition but a count needs is not evaluated by this adapter. */
export function thresholdOf({ window, condition }: Pick<WindowStep, "window" | "condition">): number {
  if (window.kind === "sliding" && condition.kind === "count") return condition.atLeast;
  throw new RangeError(`A ${window.kind} window of ${condition.kind} cannot be evaluated.`);
}
