import type postgres from "postgres";

import type { Message } from "../channels/channel.ts";
import { toStoredJson } from "../store/stored-text.ts";

/** A message to one channel that is yet to be written. */
export interface NewDelivery {
  /** Derived from what it tells of: neither a redelivery nor a retried transaction can write a second one. */
  readonly delivery_id: string;
  /** The alerts it tells of, the gravest first; empty for a test. */
  readonly alert_ids: readonly string[];
  readonly channel: string;
  readonly kind: string;
  readonly route: string | null;
  readonly message: Message;
  /** What muted it, such as `silence/<id>`: it is kept, shown and never sent. */
  readonly muted_by: string | null;
  /** Milliseconds until it may be sent; at once when left out. */
  readonly due_in_ms?: number;
}

export interface WriteOptions {
  /** How long after it is due a delivery is tried; a day when left out. */
  readonly horizonMs?: number;
}

export const standardHorizonMs = 86_400_000;

/**
 * Writes deliveries, in one statement and in the transaction of what gives rise to them. Ids that exist are
 * left as they are. Ids are unique over all months only while the caller holds the lock of what the ids
 * derive from (an alert's group, a route's group): another one could write the same id at the same time.
 */
export async function writeDeliveries(
  sql: postgres.ISql,
  rows: readonly NewDelivery[],
  { horizonMs = standardHorizonMs }: WriteOptions = {},
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    with given as materialized (
      select *, now() + coalesce(due_in_ms, 0) * interval '1 millisecond' as due_at
      from jsonb_to_recordset(${toStoredJson(rows)}::text::jsonb) as given (
        delivery_id uuid, alert_ids uuid[], channel text, kind text, route text, message jsonb, muted_by text,
        due_in_ms float8))
    insert into deliveries (delivery_id, alert_ids, channel, kind, route, message, status, muted_by, due_at,
      give_up_at, finished_at)
    select delivery_id, alert_ids, channel, kind, route, message,
      case when muted_by is null then 'pending' else 'muted' end, muted_by, due_at,
      due_at + ${horizonMs}::float8 * interval '1 millisecond',
      case when muted_by is not null then now() end
    from given
    where delivery_id not in (
      select delivery_id from deliveries where delivery_id = any(array(select delivery_id from given)))
    on conflict do nothing`;
}
