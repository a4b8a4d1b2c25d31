import type { Emission } from "../alert.ts";

/**
 * Episodes: the alerts of one group (rule, version, group key) whose spans touch are one episode.
 *
 * An alert is the union of its emissions: its span reaches from the earliest to the latest event it was
 * seen by, its evidence is the set of all of theirs. Both only ever grow, so episodes only grow and join,
 * and the episodes of a set of emissions depend on the set alone, not on order, repetition or batching.
 */
export interface Episode {
  /** The id of its earliest alert (by `firstSeen`, then id). */
  readonly id: string;
  readonly groupId: string;
  /** Epoch milliseconds. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The timestamp of its earliest alert. */
  readonly timestamp: number;
  /** Distinct events behind it. */
  readonly count: number;
}

/** An alert as far as episodes care. */
export type AlertSpan = Pick<Emission, "alertId" | "groupId" | "timestamp" | "firstSeen" | "lastSeen">;

/** An episode as it is after some alerts were added or grew, and the ids of those it was before. */
export interface Join {
  readonly episode: Episode;
  /** Empty when the episode is new; its own id is among them when it only grew. */
  readonly absorbed: readonly string[];
}

/**
 * Joins alerts that are new or grew with the stored episodes their spans touch; all other episodes stay
 * as they are. `added` are the evidence points stored for the first time.
 *
 * Invariant: stored episodes of a group neither touch nor overlap, and an alert that grew still lies in
 * its old episode, which is therefore among `episodes`.
 */
export function joinAlerts(
  alerts: readonly AlertSpan[],
  episodes: readonly Episode[],
  added: readonly { readonly groupId: string; readonly time: number }[],
): readonly Join[] {
  const spans: readonly Join[] = [
    ...alerts.map(({ alertId: id, groupId, timestamp, firstSeen, lastSeen }) => ({
      episode: { id, groupId, timestamp, firstSeen, lastSeen, count: 0 },
      absorbed: [],
    })),
    ...episodes.map((episode) => ({ episode, absorbed: [episode.id] })),
  ];
  const byGroup = Map.groupBy(spans, ({ episode }) => episode.groupId);
  const points = Map.groupBy(added, ({ groupId }) => groupId);
  return [...byGroup].flatMap(([groupId, members]) =>
    sweep(members).map((join) => withCount(join, points.get(groupId) ?? [])),
  );
}

/** Sorted by where they begin, a span either touches the one being grown or begins the next. */
function sweep(spans: readonly Join[]): readonly Join[] {
  const joins: Join[] = [];
  for (const span of spans.toSorted((a, b) => a.episode.firstSeen - b.episode.firstSeen)) {
    const last = joins.at(-1);
    if (last && span.episode.firstSeen <= last.episode.lastSeen) joins[joins.length - 1] = unite(last, span);
    else joins.push(span);
  }
  return joins;
}

function unite(a: Join, b: Join): Join {
  const isOrdered = byBeginning(a.episode, b.episode) <= 0;
  const [first, second] = isOrdered ? [a.episode, b.episode] : [b.episode, a.episode];
  const episode: Episode = {
    id: first.id,
    groupId: first.groupId,
    firstSeen: first.firstSeen,
    lastSeen: Math.max(first.lastSeen, second.lastSeen),
    timestamp: first.id === second.id ? Math.min(first.timestamp, second.timestamp) : first.timestamp,
    count: first.count + second.count,
  };
  return { episode, absorbed: [...a.absorbed, ...b.absorbed] };
}

function byBeginning(a: Episode, b: Episode): number {
  return a.firstSeen - b.firstSeen || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function withCount({ episode, absorbed }: Join, points: readonly { readonly time: number }[]): Join {
  const isInside = ({ time }: { readonly time: number }) =>
    episode.firstSeen <= time && time <= episode.lastSeen;
  return { episode: { ...episode, count: episode.count + points.filter(isInside).length }, absorbed };
}
