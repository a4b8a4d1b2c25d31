import type postgres from "postgres";

import { deriveUuid } from "../../../events/identity.ts";
import { toInstant } from "../../../events/time.ts";
import type { Emission } from "../alert.ts";
import type { Message } from "../channels/channel.ts";
import type { Episode } from "./episodes.ts";
import { toStoredJson } from "./stored-text.ts";

/** An episode that began, and the alert it began with. */
export interface Begun {
  readonly episode: Episode;
  readonly alert: Emission;
}

/**
 * Writes the outbox: one row per channel for every episode that began. The id derives from the alert, so
 * neither a redelivery nor a retried transaction can write a second one.
 */
export async function writeDeliveries(
  sql: postgres.TransactionSql,
  begun: readonly Begun[],
  channels: readonly string[],
): Promise<void> {
  const rows = begun.flatMap((fired) => channels.map((channel) => toRow(fired, channel)));
  if (rows.length === 0) return;
  await sql`
    insert into deliveries (delivery_id, alert_ids, channel, kind, message)
    select delivery_id, array[alert_id], channel, kind, message
    from jsonb_to_recordset(${toStoredJson(rows)}::text::jsonb) as delivery (
      delivery_id uuid, alert_id uuid, channel text, kind text, message jsonb)
    where not exists (
      select from deliveries as known where known.delivery_id = delivery.delivery_id)`;
}

const kind = "raised";

function toRow(begun: Begun, channel: string) {
  const { alertId } = begun.alert;
  return {
    delivery_id: deriveUuid("delivery", alertId, channel, kind),
    alert_id: alertId,
    channel,
    kind,
    message: toMessage(begun),
  };
}

/** What people are told: the alert as it began, without the raw event. */
function toMessage({ episode, alert: { alertId, columns, correlation } }: Begun): Message {
  return {
    type: "alert.raised",
    timestamp: toInstant(episode.timestamp),
    data: {
      alert_id: alertId,
      alert_name: columns.alert_name,
      alert_type: columns.alert_type,
      severity: columns.severity,
      description: columns.description,
      source_service_name: columns.source_service_name,
      rule_id: columns.rule_id,
      rule_name: columns.rule_name,
      actor_type: columns.actor_type,
      actor_id: columns.actor_id,
      client_ip: columns.client_ip,
      resource_type: columns.resource_type,
      resource_id: columns.resource_id,
      server_hostname: columns.server_hostname,
      action_observed: columns.action_observed,
      correlation_id: correlation.id,
      count: episode.count,
      first_seen: toInstant(episode.firstSeen),
      last_seen: toInstant(episode.lastSeen),
    },
  };
}
