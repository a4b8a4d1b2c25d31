import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";
import { type Emission, mergeEmissions } from "../alert.ts";
import { joinAlerts, type Join } from "./episodes.ts";
import { liveOn, newLife } from "./life.ts";
import { lockUuids } from "./locks.ts";
import type { Occasion } from "./tell.ts";
import { type StoredSpan, upsertAlerts } from "./upsert-alerts.ts";
import {
  type EpisodeChange,
  readTouchedEpisodes,
  type StoredEpisode,
  writeEpisodes,
} from "./write-episodes.ts";
import { type EvidenceTime, insertEvidence } from "./write-evidence.ts";

/** What became of one emission: its alert is new, was known, or its id belongs to another group. */
export type Outcome = "stored" | "merged" | "conflict";

export interface Written {
  /** Per emission, in order. */
  readonly outcomes: readonly Outcome[];
  /** What people are to be told of: episodes that began or were opened again in this transaction. */
  readonly occasions: readonly Occasion[];
  /** Whether events of ours were written into the outbox. */
  readonly hasEvents: boolean;
}

/**
 * Merges emissions into alerts, evidence and episodes, in the given transaction, in a constant number of
 * statements.
 *
 * The groups are locked first, in one order everywhere: whoever holds a group's lock sees everything
 * committed about it (READ COMMITTED) and is the only one to change it, so joining spans in memory is
 * exact under concurrency. So are the alerts' ids: no index keeps them unique over all months.
 */
export async function writeAlerts(
  sql: postgres.TransactionSql,
  emissions: readonly Emission[],
): Promise<Written> {
  await lockUuids(
    sql,
    emissions.flatMap(({ groupId, alertId }) => [groupId, alertId]),
  );
  const alerts = toAlerts(emissions);
  const spans = await upsertAlerts(sql, alerts);
  const owned = new Map(spans.map((span) => [span.alertId, span]));
  const isOwned = ({ alertId, groupId }: Emission) => owned.get(alertId)?.groupId === groupId;
  const added = await insertEvidence(sql, emissions.filter(isOwned));
  const known = await readTouchedEpisodes(sql, spans);
  const shadows = new Set(alerts.filter(({ shadow }) => shadow).map(({ groupId }) => groupId));
  const changes = toChanges(joinAlerts(spans, known, added), { owned, known, added, shadows });
  const told = await writeEpisodes(sql, changes);
  return {
    outcomes: emissions.map((emission) => {
      if (!isOwned(emission)) return "conflict";
      return owned.get(emission.alertId)?.inserted ? "stored" : "merged";
    }),
    occasions: changes.flatMap((change) => toOccasion(change, told)),
    hasEvents: changes.some(({ reopened }) => reopened !== undefined),
  };
}

/** One row per (alert, group), because a statement may touch a row only once. */
function toAlerts(emissions: readonly Emission[]): readonly Emission[] {
  const merged = new Map<string, Emission>();
  for (const emission of emissions) {
    const known = merged.get(emission.alertId);
    if (known && known.groupId !== emission.groupId) continue;
    merged.set(emission.alertId, known ? mergeEmissions(known, emission) : emission);
  }
  return [...merged.values()];
}

interface Context {
  /** The alerts as stored now, by id. */
  readonly owned: ReadonlyMap<string, StoredSpan>;
  /** The stored episodes before. */
  readonly known: readonly StoredEpisode[];
  readonly added: readonly EvidenceTime[];
  /** The groups of rules on trial: their episodes begin as suppressed, and nobody is told. */
  readonly shadows: ReadonlySet<string>;
}

/** The joins that change something, with the lives they go on with. */
function toChanges(
  joins: readonly Join[],
  { owned, known, added, shadows }: Context,
): readonly EpisodeChange[] {
  const before = new Map(known.map((episode) => [episode.id, episode]));
  const points = Map.groupBy(added, ({ groupId }) => groupId);
  const now = Math.max(0, ...[...owned.values()].slice(0, 1).map((span) => span.now));
  return joins.flatMap((join) => {
    const { id, groupId, firstSeen, lastSeen } = join.episode;
    if (!hasChanged(join, before.get(id))) return [];
    const times = (points.get(groupId) ?? [])
      .map(({ time }) => time)
      .filter((time) => firstSeen <= time && time <= lastSeen);
    const absorbed = join.absorbed.flatMap((part) => before.get(part) ?? []);
    const received = before.get(id)?.received ?? owned.get(id)?.received ?? 0;
    const onward = liveOn(join, { absorbed, added: times, now });
    if (onward) return [{ ...join, ...onward, received, isTold: onward.reopened !== undefined }];
    const isShadow = shadows.has(groupId);
    return [{ ...join, life: newLife(isShadow ? "suppressed" : "open"), received, isTold: !isShadow }];
  });
}

function hasChanged({ episode, absorbed }: Join, before: StoredEpisode | undefined): boolean {
  if (!before || absorbed.length > 1) return true;
  return (["firstSeen", "lastSeen", "timestamp", "count"] as const).some(
    (key) => episode[key] !== before[key],
  );
}

function toOccasion(
  { episode, isTold, reopened }: EpisodeChange,
  told: ReadonlyMap<string, AlertSummary>,
): readonly Occasion[] {
  const alert = told.get(episode.id);
  return isTold && alert ? [{ kind: reopened ? "reopened" : "raised", alert }] : [];
}
