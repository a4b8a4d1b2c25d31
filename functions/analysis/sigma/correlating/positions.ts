import type { Correlation } from "../language/correlation.ts";
import { isSilence, orderOf } from "./condition.ts";
import { matchesRule, type Member } from "./member.ts";
import { isNotFollowed } from "./nature.ts";
import { createTally, isCounted, type Observed, type Tally } from "./tally.ts";

/** A position and its window: members `first` to `last`, of which the last is of the position's time. */
export interface Position {
  readonly time: number;
  readonly first: number;
  readonly last: number;
}

/** The members that count, by time, then by identity. */
export function inOrder(correlation: Correlation, members: readonly Member[]): readonly Member[] {
  return members
    .filter((member) => isCounted(correlation, member))
    .toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : Number(a.member > b.member)));
}

/**
 * Walks over all positions of ordered members, the window moving with them, and answers those that
 * qualify. This is the definition of every correlation type:
 *
 * - A position is the time of a member. A sliding window holds the members of (position - timespan,
 *   position], those of one time together; a tumbling one those of the position's slot up to it; a
 *   session one those of the sliding window that no gap longer than `gap` separates from the position.
 * - A position qualifies when its window satisfies the condition.
 * - Silence: when nothing follows within (position, position + timespan].
 * - Not followed by: when the chain ends at the position and none of the negated rules is seen within
 *   (position, position + timespan].
 */
export function qualifyingPositions(
  correlation: Correlation,
  ordered: readonly Member[],
): readonly Position[] {
  const qualifying: Position[] = [];
  const isUndisturbed = createAhead(correlation, ordered);
  walk(correlation, ordered, (position, tally) => {
    const from = ordered[position.first]?.time ?? position.time;
    if (isUndisturbed(position) && (!tally || tally.holds(from))) qualifying.push(position);
  });
  return qualifying;
}

/** A window as people see it. */
export interface WindowDescription extends Observed {
  /** Whether the position qualifies. */
  readonly holds: boolean;
  /** The members of its window, by time. */
  readonly members: readonly Member[];
}

/** Describes the window of the latest position that is not after `time`; it is empty when there is none. */
export function describeWindow(
  correlation: Correlation,
  members: readonly Member[],
  time: number,
): WindowDescription {
  const ordered = inOrder(correlation, members);
  const isUndisturbed = createAhead(correlation, ordered);
  let described: WindowDescription = { holds: false, members: [] };
  walk(correlation, ordered, (position, tally) => {
    const { first, last } = position;
    // Describing every window would cost its length each time: only the last one asked for stays.
    if (position.time > time || (ordered[last + 1]?.time ?? Number.POSITIVE_INFINITY) <= time) return;
    const window = ordered.slice(first, last + 1);
    const holds = isUndisturbed(position) && (!tally || tally.holds(window[0]?.time ?? position.time));
    described = { holds, ...(tally ? tally.observe() : { number: 0 }), members: window };
  });
  return described;
}

type Visit = (position: Position, tally: Tally | undefined) => void;

/** Visits every position in order of time. Silence looks ahead only: its window is the position, without a tally. */
function walk(correlation: Correlation, ordered: readonly Member[], visit: Visit): void {
  const tally = isSilence(correlation) ? undefined : createTally(correlation);
  const startsAt = createStart(correlation, ordered);
  let first = 0;
  for (const [last, member] of ordered.entries()) {
    tally?.enter(member);
    const { time } = member;
    // Of members of one time the last one stands for the position: its window holds all of them.
    if (ordered[last + 1]?.time === time) continue;
    for (const start = startsAt(time, last); first < start; first += 1) leave(tally, ordered[first]);
    visit({ time, first, last }, tally);
  }
}

function leave(tally: Tally | undefined, member: Member | undefined): void {
  if (member) tally?.leave(member);
}

/** The index of the first member in the window of a position; called once for each, in order. */
function createStart(
  correlation: Correlation,
  ordered: readonly Member[],
): (time: number, last: number) => number {
  const isOutside = createEdge(correlation);
  let first = 0;
  let session = 0;
  let seen = 0;
  return (time, last) => {
    for (; seen < last; seen += 1) {
      if (isGap(correlation, ordered[seen], ordered[seen + 1])) session = seen + 1;
    }
    first = Math.max(first, session);
    while (first < last && isOutside(ordered[first]?.time ?? time, time)) first += 1;
    return first;
  };
}

/** Whether a time lies before the window of a position, sessions apart. */
export function createEdge(correlation: Correlation): (time: number, position: number) => boolean {
  const { timespanMs, window } = correlation;
  if (isSilence(correlation)) return (time, position) => time < position;
  if (window.kind !== "tumbling") return (time, position) => time <= position - timespanMs;
  return (time, position) => Math.floor(time / timespanMs) < Math.floor(position / timespanMs);
}

function isGap({ window }: Correlation, one: Member | undefined, next: Member | undefined): boolean {
  return window.kind === "session" && (next?.time ?? 0) - (one?.time ?? 0) > window.gapMs;
}

/** Whether what must stay away after a position does: anything for silence, the negated rules after a chain. */
function createAhead(correlation: Correlation, ordered: readonly Member[]): (position: Position) => boolean {
  const { timespanMs } = correlation;
  const isAwaited = createDisturbance(correlation);
  if (!isAwaited) return () => true;
  let next = 0;
  return ({ time, last }) => {
    next = Math.max(next, last + 1);
    while (next < ordered.length && !isAwaited(ordered[next])) next += 1;
    return (ordered[next]?.time ?? Number.POSITIVE_INFINITY) > time + timespanMs;
  };
}

/** Which members break a silence; undefined for correlations that do not look ahead. */
function createDisturbance(correlation: Correlation): ((member: Member | undefined) => boolean) | undefined {
  if (isSilence(correlation)) return () => true;
  if (!isNotFollowed(correlation)) return undefined;
  const { negated } = orderOf(correlation);
  return (member) => negated.some((index) => matchesRule(member?.rules ?? 0, index));
}
