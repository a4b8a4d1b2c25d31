import { notificationDelivered } from "../../../events/contracts/notification-delivered.ts";
import { notificationFailed } from "../../../events/contracts/notification-failed.ts";
import { createEvent } from "../../../events/envelope.ts";
import { toJson } from "../../../events/http-structured.ts";
import { toInstant } from "../../../events/time.ts";
import type { Outcome } from "./policy.ts";

/** A delivery and how it went on, as others are told. */
export interface Progress {
  /** Of the event; the attempt's own when left out. */
  readonly eventId?: string;
  readonly deliveryId: string;
  /** The gravest first. */
  readonly alertIds: readonly string[];
  readonly channel: string;
  readonly channelType?: string | undefined;
  readonly attempt: number;
  readonly outcome: Outcome;
  /** Epoch milliseconds, of the database's clock. */
  readonly endedAt: number;
  readonly durationMs?: number | undefined;
}

const source = "/auditflow/notification";

/**
 * The event for the outbox, as a structured CloudEvent: `notification.delivered` or `notification.failed`.
 * A delivery that tells of several alerts is one event, about the gravest one; `alert_ids` has them all. A
 * test tells of none, and gives no event. Throws InvalidEventError when a contract does not admit it.
 */
export function toDeliveryEvent(progress: Progress): Readonly<Record<string, unknown>> | undefined {
  const { deliveryId, alertIds, attempt, endedAt } = progress;
  const [subject] = alertIds;
  if (subject === undefined) return undefined;
  const about = {
    id: progress.eventId ?? `${deliveryId}/${attempt}`,
    source,
    time: toInstant(endedAt),
    subject,
  };
  const data = {
    delivery_id: deliveryId,
    alert_id: subject,
    ...(alertIds.length > 1 && { alert_ids: alertIds }),
    channel: progress.channel,
    ...(progress.channelType !== undefined && { channel_type: progress.channelType }),
    // Zero when it was given up before the first one.
    attempt: Math.max(1, attempt),
  };
  return toJson(toEvent({ about, data, progress }));
}

function toEvent({ about, data, progress }: Parts) {
  const { outcome, endedAt, durationMs } = progress;
  if (outcome.kind === "delivered") {
    return createEvent(notificationDelivered, {
      ...about,
      data: {
        ...data,
        delivered_at: about.time,
        ...(durationMs !== undefined && { duration_ms: durationMs }),
      },
    });
  }
  const isFinal = outcome.kind === "failed";
  return createEvent(notificationFailed, {
    ...about,
    data: {
      ...data,
      failed_at: about.time,
      code: outcome.code,
      detail: outcome.reason,
      ...(outcome.status !== undefined && { status: outcome.status }),
      final: isFinal,
      next_attempt_at: outcome.kind === "again" ? toInstant(endedAt + outcome.afterMs) : null,
    },
  });
}

interface Parts {
  readonly about: {
    readonly id: string;
    readonly source: string;
    readonly time: string;
    readonly subject: string;
  };
  readonly data: {
    readonly delivery_id: string;
    readonly alert_id: string;
    readonly channel: string;
    readonly attempt: number;
  };
  readonly progress: Progress;
}
