import type { Emission } from "../alert.ts";
import type { Episode } from "./episodes.ts";

/** An alert: the union of its emissions. */
export interface Alert {
  readonly id: string;
  readonly groupId: string;
  readonly timestamp: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Keys of the events behind it. */
  readonly evidence: ReadonlySet<string>;
}

/** The alerts of a set of emissions: the plain definition that the store must agree with. */
export function alertsOf(emissions: readonly Emission[]): readonly Alert[] {
  return [...Map.groupBy(emissions, ({ alertId }) => alertId)].map(([id, members]) => ({
    id,
    groupId: members[0]?.groupId ?? "",
    timestamp: Math.min(...members.map(({ timestamp }) => timestamp)),
    firstSeen: Math.min(...members.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...members.map(({ lastSeen }) => lastSeen)),
    evidence: new Set(
      members.flatMap(({ evidence }) => evidence.map((e) => JSON.stringify([e.source, e.id]))),
    ),
  }));
}

/**
 * The episodes of a set of emissions: connected components of alerts of one group whose spans touch.
 * The plain definition, quadratic; `joinAlerts` keeps the same result up to date in steps.
 */
export function episodesOf(emissions: readonly Emission[]): readonly Episode[] {
  const rest = new Set(alertsOf(emissions));
  const episodes: Episode[] = [];
  for (const seed of rest) {
    rest.delete(seed);
    const component = [seed];
    // The array grows while it is walked: each member pulls in what touches it.
    for (const member of component) {
      for (const other of [...rest].filter((alert) => touch(alert, member))) {
        rest.delete(other);
        component.push(other);
      }
    }
    episodes.push(toEpisode(component));
  }
  return episodes;
}

function touch(a: Alert, b: Alert): boolean {
  return a.groupId === b.groupId && a.firstSeen <= b.lastSeen && b.firstSeen <= a.lastSeen;
}

function toEpisode(alerts: readonly Alert[]): Episode {
  const first = alerts.reduce((a, b) => (isEarlier(b, a) ? b : a));
  return {
    id: first.id,
    groupId: first.groupId,
    firstSeen: first.firstSeen,
    lastSeen: Math.max(...alerts.map(({ lastSeen }) => lastSeen)),
    timestamp: first.timestamp,
    count: new Set(alerts.flatMap(({ evidence }) => [...evidence])).size,
  };
}

function isEarlier(a: Alert, b: Alert): boolean {
  return a.firstSeen < b.firstSeen || (a.firstSeen === b.firstSeen && a.id < b.id);
}
