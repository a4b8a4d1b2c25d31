import type { Member } from "./member.ts";

/** An event in a stream. */
export interface StreamEvent {
  /** Counts the events of the stream. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly fields: object;
  /** The ids of the rules it matches, and of the correlations at one of whose positions it was found. */
  readonly matched: string[];
}

/** A member as a group remembers it. */
export interface KeptMember extends Member {
  readonly sequence: number;
  /** The event, for correlations that something refers to. */
  readonly event: StreamEvent | undefined;
  /** Whether its position was found to qualify. */
  isFound: boolean;
}

/** What was found to qualify: whether it is to be reported, and the events that were not found before. */
export interface Found {
  readonly isReported: boolean;
  readonly events: readonly StreamEvent[];
}

/** The members of a group in order of time, those of one time in the order they came. */
export interface KeptMembers {
  /** The time of the newest; -Infinity when there are none. */
  readonly newest: number;
  /** Those from one time to another, both included. */
  between(from: number, to: number): readonly KeptMember[];
  /** The member that an event already is. */
  get(event: StreamEvent): KeptMember | undefined;
  /** Adds a member, or puts it in the place of the one that its event already is. */
  put(member: KeptMember): void;
  /** Marks the members of qualifying positions. */
  find(positions: readonly number[]): Found;
  /** The same for the newest position, at a cost that does not grow with how many have its time. */
  findNewest(): Found;
  /** Lets go of those before a time, and of the oldest above a number; answers how many are gone. */
  forget(before: number, limit: number): number;
}

export function createKeptMembers(): KeptMembers {
  const members: KeptMember[] = [];
  let lastSequence = -1;
  const newest = () => members.at(-1)?.time ?? Number.NEGATIVE_INFINITY;
  const firstFrom = (time: number) => lowerBound(members, (other) => other.time < time);
  const firstAfter = (time: number) => lowerBound(members, (other) => other.time <= time);
  const between = (from: number, to: number) => members.slice(firstFrom(from), firstAfter(to));

  function indexOf({ sequence, time }: Pick<KeptMember, "sequence" | "time">): number {
    if (sequence > lastSequence) return -1;
    const end = firstAfter(time);
    for (let index = firstFrom(time); index < end; index += 1) {
      if (members[index]?.sequence === sequence) return index;
    }
    return -1;
  }

  function mark(member: KeptMember, events: StreamEvent[]): void {
    if (!member.isFound && member.event) events.push(member.event);
    member.isFound = true;
  }

  return {
    get newest() {
      return newest();
    },
    between,
    get: (event) => members[indexOf(event)],
    put(member) {
      const index = indexOf(member);
      lastSequence = Math.max(lastSequence, member.sequence);
      if (index >= 0) members[index] = member;
      else if (member.time >= newest()) members.push(member);
      else members.splice(firstAfter(member.time), 0, member);
    },
    find(positions) {
      const events: StreamEvent[] = [];
      let isReported = false;
      for (const position of positions) {
        const own = between(position, position);
        if (!own.some(({ isFound }) => isFound)) isReported = true;
        for (const member of own) mark(member, events);
      }
      return { isReported, events };
    },
    findNewest() {
      const events: StreamEvent[] = [];
      const time = newest();
      for (let index = members.length - 1; members[index]?.time === time; index -= 1) {
        const member = members[index];
        if (!member || member.isFound) break;
        mark(member, events);
      }
      return { isReported: true, events };
    },
    forget(before, limit) {
      const gone = Math.max(firstFrom(before), members.length - limit);
      // Moving the rest costs its length, so that many are let go together.
      if (gone <= members.length / 4) return 0;
      members.splice(0, gone);
      return gone;
    },
  };
}

/** The index of the first member that is not before. */
function lowerBound(members: readonly KeptMember[], isBefore: (member: KeptMember) => boolean): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const member = members[middle];
    if (member && isBefore(member)) low = middle + 1;
    else high = middle;
  }
  return low;
}
