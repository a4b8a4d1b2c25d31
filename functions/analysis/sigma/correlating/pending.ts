import type { Correlation } from "../language/correlation.ts";
import type { Member } from "./member.ts";
import { createDisturbance } from "./positions.ts";

/** Positions that qualify if nothing disturbs them within a timespan any more. */
export interface Pending {
  /** The first of them; Infinity when there is none. */
  readonly first: number;
  /** Takes the next member in order of time, and whether its position waits from now on. */
  enter(member: Member, isWaiting: boolean): void;
  /** Replaces those of a range. */
  replace(isInRange: (position: number) => boolean, positions: readonly number[]): void;
  /** Takes out those whose timespan ended before a time, ascending. */
  takeComplete(time: number): readonly number[];
}

/** For silence and for chains that are not followed; undefined for all others, which look back only. */
export function createPending(correlation: Correlation): Pending | undefined {
  const disturbs = createDisturbance(correlation);
  if (!disturbs) return undefined;
  const { timespanMs } = correlation;
  let positions: number[] = [];
  return {
    get first() {
      return positions[0] ?? Number.POSITIVE_INFINITY;
    },
    enter(member, isWaiting) {
      const { time } = member;
      // What was complete before this member came is taken out already.
      if (disturbs(member)) positions = positions.filter((position) => position >= time);
      if (isWaiting && positions.at(-1) !== time) positions.push(time);
    },
    replace(isInRange, others) {
      const outside = positions.filter((position) => !isInRange(position));
      positions = [...outside, ...others].toSorted((a, b) => a - b);
    },
    takeComplete(time) {
      const complete = positions.filter((position) => position + timespanMs < time);
      positions = positions.slice(complete.length);
      return complete;
    },
  };
}
