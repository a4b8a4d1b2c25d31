import { groupKey, type Membership } from "./membership.ts";
import type { Found } from "./kept-members.ts";
import { createStreamGroup, type StreamGroup } from "./stream-group.ts";
import type { StreamState } from "./stream-states.ts";
import { createTimers, type Timer } from "./timers.ts";

/** A group of a correlation, by name. */
export interface GroupEntry {
  readonly state: StreamState;
  readonly key: string;
  /** The values of `groupBy`, in its order. */
  readonly values: readonly string[];
  readonly group: StreamGroup;
  /** When its timer goes off; timers for other times are void. */
  timerAt: number;
}

export type Tell = (entry: GroupEntry, found: Found) => void;

/** The groups of all correlations and their timers. */
export interface StreamGroups {
  /** How many timers there are, void ones included. */
  readonly timers: number;
  /** When the first group has a silence that may be complete, or nothing to remember any more. */
  readonly due: number;
  /** The group of a membership, new or known. */
  entryFor(state: StreamState, membership: Membership): GroupEntry;
  /** Sees to it that a group is looked at when it is due. */
  watch(entry: GroupEntry): void;
  /** Tells the silences that were complete before a time, and forgets the groups that are too old. */
  settle(time: number, tell: Tell): void;
}

/** Void timers are dropped when there are more of them than this, and more than of the others. */
const manyTimers = 1000;

/** Of a correlation with too many groups, the one touched longest ago goes. */
export function createStreamGroups(groupsPerCorrelation: number): StreamGroups {
  const timers = createTimers<GroupEntry>();
  let afterKeeping = 0;

  function watch(entry: GroupEntry): void {
    const due = dueOf(entry);
    if (due >= entry.timerAt) return;
    entry.timerAt = due;
    timers.add(due, entry);
    // A void timer would keep the memory of a forgotten group.
    if (timers.size <= 2 * afterKeeping + manyTimers) return;
    timers.keep(isOfUse);
    afterKeeping = timers.size;
  }

  return {
    get due() {
      return timers.next;
    },
    get timers() {
      return timers.size;
    },
    watch,
    entryFor(state, { group: values }) {
      const { groups, options } = state;
      const key = groupKey(values);
      const entry = groups.get(key) ?? {
        state,
        key,
        values,
        group: createStreamGroup(options),
        timerAt: Number.POSITIVE_INFINITY,
      };
      groups.delete(key);
      if (groups.size >= groupsPerCorrelation) forgetOldest(groups);
      groups.set(key, entry);
      return entry;
    },
    settle(time, tell) {
      while (timers.next < time) {
        const timer = timers.take();
        const entry = timer?.item;
        if (!entry || !isOfUse(timer)) continue;
        entry.timerAt = Number.POSITIVE_INFINITY;
        tell(entry, entry.group.settle(time));
        if (dueOf(entry) < time) entry.state.groups.delete(entry.key);
        else watch(entry);
      }
    },
  };
}

function dueOf({ group, state }: GroupEntry): number {
  return Math.min(group.due, group.newest + state.options.keptMs);
}

function isOfUse({ due, item }: Timer<GroupEntry>): boolean {
  return due === item.timerAt && item.state.groups.get(item.key) === item;
}

function forgetOldest(groups: Map<string, GroupEntry>): void {
  for (const key of groups.keys()) {
    groups.delete(key);
    return;
  }
}
