import type { Correlation } from "../language/correlation.ts";
import {
  createKeptMembers,
  type Found,
  type KeptMember,
  type KeptMembers,
  type StreamEvent,
} from "./kept-members.ts";
import type { Membership } from "./membership.ts";
import { createMovingWindow } from "./moving-window.ts";
import { reachMs } from "./nature.ts";
import { createPending } from "./pending.ts";
import { qualifyingPositions } from "./positions.ts";

/** The members of one group, and what is known of their positions. */
export interface StreamGroup {
  /** The time of the newest member. */
  readonly newest: number;
  /** When the first silence that is waited for would be complete; Infinity when none is. */
  readonly due: number;
  /** Counts an event; answers what it makes qualify. */
  add(event: StreamEvent, membership: Membership): Found;
  /** Answers the silences that were complete before a time. */
  settle(time: number): Found;
}

export interface GroupOptions {
  readonly correlation: Correlation;
  /** How far behind the newest member others are kept, milliseconds. */
  readonly keptMs: number;
  /** How many members are kept, give or take a third. */
  readonly maxMembers: number;
  /** Whether another correlation counts what this one finds. */
  readonly isReferred: boolean;
}

const nothing: Found = { isReported: false, events: [] };

/**
 * A group of one correlation. A member that comes in order of time moves a window on, at a cost that does
 * not depend on how many it holds; one that comes late has the positions around it evaluated anew. What
 * was found once stays found.
 */
export function createStreamGroup({
  correlation,
  keptMs,
  maxMembers,
  isReferred,
}: GroupOptions): StreamGroup {
  const { before, after } = reachMs(correlation);
  const pending = createPending(correlation);
  const members = createKeptMembers();
  let window = createMovingWindow(correlation);

  function addInOrder(member: KeptMember): Found {
    members.put(member);
    if (members.forget(member.time - keptMs, maxMembers) > 0) refill();
    else window.enter(member);
    const isQualifying = window.holds();
    pending?.enter(member, isQualifying);
    return isQualifying && !pending ? members.findNewest() : nothing;
  }

  /** Puts a member among the others and evaluates the positions it can affect. */
  function addLate(member: KeptMember): Found {
    const { time } = member;
    members.put(member);
    refill();
    const isAffected = (position: number) => position >= time - after && position < time + before;
    const affected = positionsAround(correlation, members, time).filter(isAffected);
    if (pending) {
      pending.replace(
        isAffected,
        affected.filter((position) => !members.between(position, position)[0]?.isFound),
      );
      return nothing;
    }
    const found = members.find(affected);
    return { ...found, isReported: found.isReported || affected.includes(time) };
  }

  /** Fills the window anew, after members entered it out of order or were forgotten. */
  function refill(): void {
    window = createMovingWindow(correlation);
    for (const member of members.between(members.newest - before, members.newest)) window.enter(member);
  }

  return {
    get newest() {
      return members.newest;
    },
    get due() {
      return (pending?.first ?? Number.POSITIVE_INFINITY) + after;
    },
    add(event, { rules, values }) {
      const { sequence, time } = event;
      const known = members.get(event);
      if (known?.rules === rules) return nothing;
      const isFound = known?.isFound ?? false;
      const keptEvent = isReferred ? event : undefined;
      const member = { member: String(sequence), sequence, time, rules, values, event: keptEvent, isFound };
      return known || time < members.newest ? addLate(member) : addInOrder(member);
    },
    settle(time) {
      const complete = pending?.takeComplete(time) ?? [];
      return complete.length > 0 ? members.find(complete) : nothing;
    },
  };
}

/** The positions that qualify among those a member at a time can affect, and some others beside them. */
function positionsAround(correlation: Correlation, members: KeptMembers, time: number): readonly number[] {
  const { before, after } = reachMs(correlation);
  const around = members.between(time - before - after, time + before + after);
  return qualifyingPositions(correlation, around).map((position) => position.time);
}
