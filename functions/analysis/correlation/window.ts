import type { QualifiedBucket, WindowMember } from "../../../runtime/state/state.ts";

export interface WindowSpan {
  readonly timespanMs: number;
  readonly threshold: number;
}

/**
 * The definition of an `event_count` window, in plain code: the reference the state adapters are compared
 * with, and what evaluates late events from the ledger.
 *
 * A position is the time of a member; its window covers (position - timespan, position], members of one
 * time together. A position qualifies when its window holds the threshold. Every qualifying position
 * makes its bucket, floor(position / timespan), an alert; the evidence of a bucket are all members of its
 * qualifying windows. Nothing here depends on the order in which members came.
 */
export function evaluateWindow(
  members: readonly WindowMember[],
  span: WindowSpan,
): readonly QualifiedBucket[] {
  return evaluatePositions(members, span, () => true);
}

/** The same for the positions in [time, time + timespan) only: those a member at `time` can affect. */
export function evaluateAround(
  members: readonly WindowMember[],
  span: WindowSpan,
  time: number,
): readonly QualifiedBucket[] {
  return evaluatePositions(
    members,
    span,
    (position) => position >= time && position < time + span.timespanMs,
  );
}

function evaluatePositions(
  members: readonly WindowMember[],
  { timespanMs, threshold }: WindowSpan,
  isAffected: (position: number) => boolean,
): readonly QualifiedBucket[] {
  const sorted = members.toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
  const positions: number[] = [];
  let first = 0;
  for (const [index, { time }] of sorted.entries()) {
    // Of members of one time the last one stands for the position: its window holds all of them.
    if (sorted[index + 1]?.time === time) continue;
    while ((sorted[first]?.time ?? time) <= time - timespanMs) first += 1;
    if (index - first + 1 >= threshold && isAffected(time)) positions.push(time);
  }
  const buckets = Map.groupBy(positions, (position) => Math.floor(position / timespanMs));
  return [...buckets].map(([bucket, [crossedAt = 0, ...rest]]) => {
    const lastSeen = rest.at(-1) ?? crossedAt;
    const evidence = sorted.filter(({ time }) => time > crossedAt - timespanMs && time <= lastSeen);
    const firstSeen = evidence[0]?.time ?? crossedAt;
    return { bucket, crossedAt, count: evidence.length, firstSeen, lastSeen, members: evidence };
  });
}
