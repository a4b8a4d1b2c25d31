import { isIP } from "node:net";

import type { EventOf } from "../../events/contract.ts";
import type { AlertRaised, alertRaised } from "../../events/contracts/alert-raised.ts";
import { deriveUuid, eventKey } from "../../events/identity.ts";
import { parseInstant } from "../../events/time.ts";

/** An event that justifies an alert; `time` in epoch milliseconds. */
interface EvidencePoint {
  readonly source: string;
  readonly id: string;
  readonly time: number;
}

/** The flat columns that one emission, the alert's representative, decides all of. */
export interface AlertColumns {
  readonly alert_name: string;
  readonly alert_type: string;
  readonly severity: string;
  readonly description: string;
  readonly source_service_name: string | null;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly actor_type: string | null;
  readonly actor_id: string | null;
  readonly client_ip: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly server_hostname: string | null;
  readonly action_observed: string;
  readonly analysis_rule_details: object;
  readonly triggered_by_details: object;
  readonly impacted_resource_details: object;
  readonly metadata: object;
  readonly raw_event_data: object;
  readonly rule_version: string | null;
  readonly rule_set: string | null;
  readonly time_window: object | null;
  readonly group_key: string | null;
  readonly group_values: object | null;
}

/**
 * One alert event, as it is stored. Several emissions may speak of one alert, which is their join: its
 * evidence is their union, its times the earliest and latest, its columns those of its representative.
 */
export interface Emission {
  /** Identity of the alert event that carried it. */
  readonly event: { readonly source: string; readonly id: string };
  /** How many events it speaks of; the alert is represented by the emission that speaks of most. */
  readonly count: number;
  /** Orders emissions of equal `count`: its timestamp, then the event's key. */
  readonly key: string;
  readonly alertId: string;
  /** Names the (rule, version, group) whose alerts are joined into episodes. */
  readonly groupId: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Whether the rule is on trial: the alert is kept, but nobody is told. */
  readonly shadow: boolean;
  /** Never empty: an alert without evidence is its own. */
  readonly evidence: readonly EvidencePoint[];
  /** What the alert is traced by, and the time of the evidence it was taken from: the earliest one stays. */
  readonly correlation: { readonly id: string | null; readonly time: number };
  readonly columns: AlertColumns;
}

type AlertEvent = EventOf<typeof alertRaised>;

/**
 * Reads an alert event, the predecessor's too: `+00:00Z`, the client address "N/A", no correlation id, no
 * evidence (then it counts as one event, seen at its timestamp) and no group (then it is an episode of
 * its own). The contract was checked before.
 */
export function toEmission(event: AlertEvent): Emission {
  const alert = event.data;
  const alertId = alert.alert_id.toLowerCase();
  const timestamp = instantOf(alert.timestamp);
  const evidence = evidenceOf(alert, { source: event.source, id: alertId, time: timestamp });
  const seen = [
    ...evidence.map(({ time }) => time),
    ...[alert.first_seen, alert.last_seen].filter((text) => text !== undefined).map(instantOf),
  ];
  return {
    event: { source: event.source, id: event.id },
    count: alert.count ?? evidence.length,
    key: `${String(timestamp).padStart(16, "0")} ${eventKey(event).toString("hex")}`,
    alertId,
    groupId: groupOf(alert, alertId),
    shadow: alert.mode === "shadow",
    timestamp,
    firstSeen: seen.reduce((a, b) => Math.min(a, b)),
    lastSeen: seen.reduce((a, b) => Math.max(a, b)),
    evidence,
    correlation: {
      id: alert.correlation_id?.toLowerCase() ?? null,
      time: evidence.map(({ time }) => time).reduce((a, b) => Math.min(a, b)),
    },
    columns: columnsOf(alert),
  };
}

/**
 * Two emissions of one alert as one; the same whichever came first. The store does the same in SQL to what
 * it holds.
 */
export function mergeEmissions(a: Emission, b: Emission): Emission {
  const isFirst = a.count > b.count || (a.count === b.count && a.key <= b.key);
  return {
    ...(isFirst ? a : b),
    timestamp: Math.min(a.timestamp, b.timestamp),
    firstSeen: Math.min(a.firstSeen, b.firstSeen),
    lastSeen: Math.max(a.lastSeen, b.lastSeen),
    evidence: [...a.evidence, ...b.evidence],
    correlation: isEarlier(b.correlation, a.correlation) ? b.correlation : a.correlation,
  };
}

function isEarlier(a: Emission["correlation"], b: Emission["correlation"]): boolean {
  if (a.time !== b.time) return a.time < b.time;
  return a.id !== null && (b.id === null || a.id < b.id);
}

/** What was raised on trial is apart: a rule that becomes active begins episodes that people are told of. */
function groupOf(alert: AlertRaised, alertId: string): string {
  const kind = alert.mode === "shadow" ? "shadow-alert-group" : "alert-group";
  if (alert.group_key === undefined) return deriveUuid(kind, alertId);
  return deriveUuid(kind, alert.analysis_rule.rule_id, alert.rule_version ?? "", alert.group_key);
}

function evidenceOf(alert: AlertRaised, itself: EvidencePoint): readonly EvidencePoint[] {
  if (!alert.evidence?.length) return [itself];
  return alert.evidence.map(({ source, id, time }) => ({ source, id, time: instantOf(time) }));
}

function columnsOf(alert: AlertRaised): AlertColumns {
  const { analysis_rule: rule, triggered_by: actor, impacted_resource: resource } = alert;
  return {
    alert_name: alert.alert_name,
    alert_type: alert.alert_type,
    severity: alert.severity,
    description: alert.description,
    source_service_name: alert.source_service_name ?? null,
    rule_id: rule.rule_id,
    rule_name: rule.rule_name,
    actor_type: actor.actor_type ?? null,
    actor_id: actor.actor_id ?? null,
    client_ip: addressOf(actor.client_ip),
    resource_type: resource.resource_type ?? null,
    resource_id: resource.resource_id ?? null,
    server_hostname: resource.server_hostname ?? null,
    action_observed: alert.action_observed,
    analysis_rule_details: rule,
    triggered_by_details: actor,
    impacted_resource_details: resource,
    metadata: alert.metadata,
    raw_event_data: alert.raw_event_data,
    rule_version: alert.rule_version ?? null,
    rule_set: alert.rule_set ?? null,
    time_window: alert.window ?? null,
    group_key: alert.group_key ?? null,
    group_values: alert.group ?? null,
  };
}

/**
 * The address for the `inet` column, `null` for anything else ("N/A", a host name); what was sent stays
 * in `triggered_by_details`. PostgreSQL knows no IPv6 zones, so those stay there too.
 */
function addressOf(text: string | null | undefined): string | null {
  return text && isIP(text) && !text.includes("%") ? text : null;
}

function instantOf(text: string): number {
  const ms = parseInstant(text);
  if (ms === undefined) throw new TypeError(`The contract let '${text}' pass as a date and time.`);
  return ms;
}
