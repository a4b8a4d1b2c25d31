import type { Correlation } from "../language/correlation.ts";
import { isSilence, orderOf } from "./condition.ts";
import { matchesRule, type Member } from "./member.ts";
import { createMovingWindow, type MovingWindow } from "./moving-window.ts";
import { isNotFollowed } from "./nature.ts";
import { isCounted, type Observed } from "./tally.ts";

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
 * - A position is the time of a member; its window ends there (see `createMovingWindow`).
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
  walk(correlation, ordered, (position, window) => {
    if (isUndisturbed(position) && window.holds()) qualifying.push(position);
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
  walk(correlation, ordered, (position, window) => {
    const { first, last } = position;
    // Describing every window would cost its length each time: only the last one asked for stays.
    if (position.time > time || (ordered[last + 1]?.time ?? Number.POSITIVE_INFINITY) <= time) return;
    const holds = isUndisturbed(position) && window.holds();
    described = { holds, ...window.observe(), members: ordered.slice(first, last + 1) };
  });
  return described;
}

type Visit = (position: Position, window: MovingWindow) => void;

/** Visits every position in order of time, with its window. */
function walk(correlation: Correlation, ordered: readonly Member[], visit: Visit): void {
  const window = createMovingWindow(correlation);
  for (const [last, member] of ordered.entries()) {
    window.enter(member);
    const { time } = member;
    // Of members of one time the last one stands for the position: its window holds all of them.
    if (ordered[last + 1]?.time !== time) visit({ time, first: window.departed, last }, window);
  }
}

const nothing = { rules: 0 };

/** Whether what must stay away after a position does: anything for silence, the negated rules after a chain. */
function createAhead(correlation: Correlation, ordered: readonly Member[]): (position: Position) => boolean {
  const { timespanMs } = correlation;
  const isAwaited = createDisturbance(correlation);
  if (!isAwaited) return () => true;
  let next = 0;
  return ({ time, last }) => {
    next = Math.max(next, last + 1);
    while (next < ordered.length && !isAwaited(ordered[next] ?? nothing)) next += 1;
    return (ordered[next]?.time ?? Number.POSITIVE_INFINITY) > time + timespanMs;
  };
}

/** Which members break a silence ahead of a position; undefined for correlations that do not look ahead. */
export function createDisturbance(
  correlation: Correlation,
): ((member: Pick<Member, "rules">) => boolean) | undefined {
  if (isSilence(correlation)) return () => true;
  if (!isNotFollowed(correlation)) return undefined;
  const { negated } = orderOf(correlation);
  return ({ rules }) => negated.some((index) => matchesRule(rules, index));
}
