import { deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import { type Emission, mergeEmissions } from "../../functions/notification/alert.ts";
import type { Message } from "../../functions/notification/channels/channel.ts";
import type { DeadLetter } from "../../functions/notification/dead-letters/dead-letter.ts";
import { type Episode, joinAlerts } from "../../functions/notification/store/episodes.ts";
import { keyOf } from "./database.ts";

export interface DeliveryRow {
  readonly id: string;
  readonly alertId: string;
  readonly message: Message;
  status: "pending" | "delivered" | "failed";
  attempts: number;
  dueAt: number;
}

/** What notification keeps: the tables of its migrations, as far as the pipeline's answer depends on them. */
export interface Tables {
  readonly alerts: Map<string, Emission>;
  /** Times of evidence by group and event key. */
  readonly evidence: Map<string, Map<string, number>>;
  readonly episodes: Map<string, Episode>;
  readonly deliveries: Map<string, DeliveryRow>;
  readonly deadLetters: Map<string, DeadLetter>;
}

export function createTables(): Tables {
  return {
    alerts: new Map(),
    evidence: new Map(),
    episodes: new Map(),
    deliveries: new Map(),
    deadLetters: new Map(),
  };
}

/** What a transaction read and decided; `commit` makes all of it visible at once. */
export interface Write {
  readonly outcomes: readonly ("stored" | "merged")[];
  readonly hasBegun: boolean;
  readonly commit: () => void;
}

/** The decisions of `writeAlerts`, over maps in place of SQL. The caller holds the locks of the groups. */
export function planWrite(tables: Tables, emissions: readonly Emission[], now: number): Write {
  const outcomes = emissions.map(({ alertId }) => (tables.alerts.has(alertId) ? "merged" : "stored"));
  const alerts = new Map<string, Emission>();
  for (const emission of emissions) {
    const known = alerts.get(emission.alertId) ?? tables.alerts.get(emission.alertId);
    alerts.set(emission.alertId, known ? mergeEmissions(known, emission) : emission);
  }
  const added = addedEvidence(tables, emissions);
  const spans = [...alerts.values()];
  const touched = [...tables.episodes.values()].filter((episode) =>
    spans.some(
      ({ groupId, firstSeen, lastSeen }) =>
        groupId === episode.groupId && episode.lastSeen >= firstSeen && episode.firstSeen <= lastSeen,
    ),
  );
  const joins = joinAlerts(spans, touched, added);
  const begun = joins.filter(({ episode, absorbed }) => absorbed.length === 0 && alerts.has(episode.id));
  return {
    outcomes,
    hasBegun: begun.length > 0,
    commit() {
      for (const alert of spans) tables.alerts.set(alert.alertId, alert);
      for (const { groupId, key, time } of added) evidenceOf(tables, groupId).set(key, time);
      for (const { episode, absorbed } of joins) {
        for (const id of absorbed) tables.episodes.delete(id);
        tables.episodes.set(episode.id, episode);
      }
      for (const { episode } of begun) addDelivery(tables, episode, now);
    },
  };
}

interface Added {
  readonly groupId: string;
  readonly key: string;
  readonly time: number;
}

/** The points stored for the first time, each once. */
function addedEvidence(tables: Tables, emissions: readonly Emission[]): readonly Added[] {
  const added = new Map<string, Added>();
  for (const { groupId, evidence } of emissions) {
    for (const point of evidence) {
      const key = keyOf(point);
      if (tables.evidence.get(groupId)?.has(key) !== true) {
        added.set(`${groupId} ${key}`, { groupId, key, time: point.time });
      }
    }
  }
  return [...added.values()];
}

function evidenceOf({ evidence }: Tables, groupId: string): Map<string, number> {
  const known = evidence.get(groupId) ?? new Map<string, number>();
  evidence.set(groupId, known);
  return known;
}

function addDelivery({ deliveries }: Tables, episode: Episode, now: number): void {
  const id = deriveUuid("delivery", episode.id, channel, "raised");
  if (deliveries.has(id)) return;
  const message: Message = {
    type: "alert.raised",
    timestamp: toInstant(episode.timestamp),
    data: { alert_id: episode.id, alert_name: "", severity: "", count: episode.count },
  };
  deliveries.set(id, { id, alertId: episode.id, message, status: "pending", attempts: 0, dueAt: now });
}

/** The only channel there is. */
export const channel = "webhook";
