import { isIP } from "node:net";

import type { EventOf } from "../../events/contract.ts";
import type { AlertRaised, alertRaised } from "../../events/contracts/alert-raised.ts";
import { deriveUuid, eventKey } from "../../events/identity.ts";
import { parseInstant } from "../../events/time.ts";

/** An event that justifies an alert; `time` in epoch milliseconds. */
export interface EvidencePoint {
  readonly source: string;
  readonly id: string;
  readonly time: number;
}

/** The predecessor's flat columns of an alert, apart from its id, its times and what the store adds. */
export interface AlertColumns {
  readonly correlation_id: string | null;
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
  readonly group_key: string | null;
  readonly group_values: object | null;
}

/** One alert event, as it is stored. Several emissions may speak of one alert; their union is the alert. */
export interface Emission {
  /** Identity of the alert event that carried it. */
  readonly event: { readonly source: string; readonly id: string };
  /** Orders emissions of equal `timestamp`: the event's key, hexadecimal. */
  readonly key: string;
  readonly alertId: string;
  /** Names the (rule, version, group) whose alerts are joined into episodes. */
  readonly groupId: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Never empty: an alert without evidence is its own. */
  readonly evidence: readonly EvidencePoint[];
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
    key: eventKey(event).toString("hex"),
    alertId,
    groupId: groupOf(alert, alertId),
    timestamp,
    firstSeen: seen.reduce((a, b) => Math.min(a, b)),
    lastSeen: seen.reduce((a, b) => Math.max(a, b)),
    evidence,
    columns: columnsOf(alert),
  };
}

/** Of two emissions of one alert, the one whose columns represent it; the same whichever came first. */
export function representative<E extends Pick<Emission, "timestamp" | "key">>(a: E, b: E): E {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? a : b;
  return a.key <= b.key ? a : b;
}

function groupOf(alert: AlertRaised, alertId: string): string {
  if (alert.group_key === undefined) return deriveUuid("alert-group", alertId);
  return deriveUuid("alert-group", alert.analysis_rule.rule_id, alert.rule_version ?? "", alert.group_key);
}

function evidenceOf(alert: AlertRaised, itself: EvidencePoint): readonly EvidencePoint[] {
  if (!alert.evidence?.length) return [itself];
  return alert.evidence.map(({ source, id, time }) => ({ source, id, time: instantOf(time) }));
}

function columnsOf(alert: AlertRaised): AlertColumns {
  const { analysis_rule: rule, triggered_by: actor, impacted_resource: resource } = alert;
  return {
    correlation_id: alert.correlation_id?.toLowerCase() ?? null,
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
