import type { Correlation } from "../language/correlation.ts";
import type { Bucket, Member } from "./member.ts";
import { reachMs } from "./nature.ts";
import { inOrder, type Position, qualifyingPositions } from "./positions.ts";

/**
 * What a correlation makes of the members of one group, whatever order they are given in: the one
 * definition the state adapters are compared with, and what evaluates events from the ledger, rule cases
 * and back-tests. Each qualifying position (see `qualifyingPositions`) makes its bucket, floor(position /
 * timespan), an alert. The members' identities must be distinct.
 */
export function evaluateWindow(correlation: Correlation, members: readonly Member[]): readonly Bucket[] {
  return evaluateBetween(correlation, members, {
    from: Number.NEGATIVE_INFINITY,
    to: Number.POSITIVE_INFINITY,
  });
}

/**
 * The same for the positions that a member at `time` can affect, and for no others. `members` must hold
 * all from `time - before - after` to `time + before + after` (see `reachMs`).
 */
export function evaluateAround(
  correlation: Correlation,
  members: readonly Member[],
  time: number,
): readonly Bucket[] {
  const { before, after } = reachMs(correlation);
  return evaluateBetween(correlation, members, { from: time - after, to: time + before });
}

/** The same for the positions from `from` up to and without `to`, epoch milliseconds. */
export function evaluateBetween(
  correlation: Correlation,
  members: readonly Member[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly Bucket[] {
  const ordered = inOrder(correlation, members);
  const positions = qualifyingPositions(correlation, ordered);
  const within = positions.filter(({ time }) => time >= from && time < to);
  return toBuckets(correlation, ordered, within);
}

/** The times of the positions that qualify, ascending: what a correlation hands to one that refers to it. */
export function positionsOf(correlation: Correlation, members: readonly Member[]): readonly number[] {
  return qualifyingPositions(correlation, inOrder(correlation, members)).map(({ time }) => time);
}

function toBuckets(
  { timespanMs }: Correlation,
  ordered: readonly Member[],
  positions: readonly Position[],
): readonly Bucket[] {
  const byBucket = Map.groupBy(positions, ({ time }) => Math.floor(time / timespanMs));
  return [...byBucket].map(([bucket, own]) => {
    const members: Member[] = [];
    let next = 0;
    for (const { first, last } of own) {
      for (next = Math.max(next, first); next <= last; next += 1) {
        const member = ordered[next];
        if (member) members.push(member);
      }
    }
    const crossedAt = own[0]?.time ?? 0;
    const [firstSeen = crossedAt, lastSeen = crossedAt] = [members[0]?.time, members.at(-1)?.time];
    return { bucket, crossedAt, count: members.length, firstSeen, lastSeen, members };
  });
}
