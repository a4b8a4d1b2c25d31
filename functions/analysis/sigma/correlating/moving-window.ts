import type { Correlation } from "../language/correlation.ts";
import { isSilence } from "./condition.ts";
import type { Member } from "./member.ts";
import { createTally, type Observed } from "./tally.ts";

/** The window of the newest position, moving on with every member. */
export interface MovingWindow {
  /** Takes the next member; times never fall. */
  enter(member: Member): void;
  /** Whether the window satisfies the condition, what comes after it apart. */
  holds(): boolean;
  observe(): Observed;
  /** How many members have left it. */
  readonly departed: number;
}

/** Left members are let go of when there are this many and they are the most. */
const compactFrom = 1024;

/**
 * An empty window. A sliding window holds the members of (position - timespan, position], those of one
 * time together; a tumbling one those of the position's slot up to it; a session one those of the sliding
 * window that no gap longer than `gap` separates from the position.
 */
export function createMovingWindow(correlation: Correlation): MovingWindow {
  const tally = createTally(correlation);
  const isOutside = createEdge(correlation);
  let members: Member[] = [];
  let first = 0;
  let compacted = 0;

  function leave(): void {
    const gone = members[first];
    first += 1;
    if (gone) tally.leave(gone);
    if (first < compactFrom || first * 2 < members.length) return;
    members = members.slice(first);
    compacted += first;
    first = 0;
  }

  return {
    enter(member) {
      const isNewSession = isGap(correlation, members.at(-1), member);
      members.push(member);
      tally.enter(member);
      while (first < members.length - 1) {
        if (!isNewSession && !isOutside(members[first]?.time ?? 0, member.time)) return;
        leave();
      }
    },
    holds: () => tally.holds(members[first]?.time ?? Number.POSITIVE_INFINITY),
    observe: () => tally.observe(),
    get departed() {
      return compacted + first;
    },
  };
}

/** Whether a time lies before the window of a position, sessions apart. */
function createEdge(correlation: Correlation): (time: number, position: number) => boolean {
  const { timespanMs, window } = correlation;
  if (isSilence(correlation)) return (time, position) => time < position;
  if (window.kind !== "tumbling") return (time, position) => time <= position - timespanMs;
  return (time, position) => Math.floor(time / timespanMs) < Math.floor(position / timespanMs);
}

function isGap({ window }: Correlation, one: Member | undefined, next: Member): boolean {
  return window.kind === "session" && one !== undefined && next.time - one.time > window.gapMs;
}
