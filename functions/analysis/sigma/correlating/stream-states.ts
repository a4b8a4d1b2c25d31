import type { Correlation } from "../language/correlation.ts";
import { inDependencyOrder, referredIds } from "./chain.ts";
import { comparisonsOf } from "./condition.ts";
import { compileMembership, type MembershipOf } from "./membership.ts";
import { reachMs } from "./nature.ts";
import type { GroupEntry } from "./stream-groups.ts";
import type { GroupOptions } from "./stream-group.ts";

/** Bounds of the memory; the oldest go first. */
export interface StreamLimits {
  readonly groupsPerCorrelation: number;
  /** Give or take a third; at least twice what a condition compares with. */
  readonly membersPerGroup: number;
}

/** A correlation in a stream. */
export interface StreamState {
  readonly correlation: Correlation;
  /** Higher than that of what it refers to. */
  readonly order: number;
  readonly membershipOf: MembershipOf;
  /** By key; the one touched last is the last. */
  readonly groups: Map<string, GroupEntry>;
  readonly options: GroupOptions;
}

/** The correlations by what they refer to. */
export type StatesByReferred = ReadonlyMap<string, readonly StreamState[]>;

export function createStates(
  correlations: readonly Correlation[],
  { membersPerGroup }: StreamLimits,
): StatesByReferred {
  const delayOf = createDelays();
  const referred = referredIds(correlations);
  const states = inDependencyOrder(correlations).map((correlation, order): StreamState => {
    const { before, after } = reachMs(correlation);
    const { delay, ownDelay } = delayOf(correlation);
    const operands = comparisonsOf(correlation).map(({ operand }) => 2 * operand);
    const isCount = correlation.type === "event_count" || correlation.type === "value_count";
    return {
      correlation,
      order,
      membershipOf: compileMembership(correlation),
      groups: new Map(),
      options: {
        correlation,
        // So an event that comes late by a whole window still finds all its neighbours.
        keptMs: 2 * (before + after) + delay - ownDelay,
        maxMembers: isCount ? Math.max(membersPerGroup, ...operands) : membersPerGroup,
        isReferred: referred.has(correlation.id),
      },
    };
  });
  const byReferred = new Map<string, StreamState[]>();
  for (const state of states) {
    for (const { id } of state.correlation.refersTo) {
      byReferred.set(id, [...(byReferred.get(id) ?? []), state]);
    }
  }
  return byReferred;
}

/** How long after an event a correlation may still find it, itself and with all it stands on; asked in order of dependency. */
function createDelays() {
  const delays = new Map<string, number>();
  return (correlation: Correlation) => {
    const ownDelay = reachMs(correlation).after;
    const delay = ownDelay + Math.max(0, ...correlation.refersTo.map(({ id }) => delays.get(id) ?? 0));
    delays.set(correlation.id, delay);
    return { delay, ownDelay };
  };
}
