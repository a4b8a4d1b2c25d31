import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import type { DeliveryAttempt, DeliveryView } from "../alert-view.ts";
import type { Message } from "../channels/channel.ts";
import { formatPlace, parsePlace } from "./cursor.ts";

export interface DeliveryQuery {
  readonly status?: DeliveryView["status"];
  readonly channel?: string;
  /** As it is named in the delivery. */
  readonly alertId?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface DeliveryPage {
  /** Newest first. */
  readonly items: readonly DeliveryView[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
}

/** A delivery with what it says and how it went. */
export interface DeliveryDetail extends DeliveryView {
  readonly message: Message;
  /** Attempts whose end is known; numbers that are missing were never answered, or are under way. */
  readonly attempt_history: readonly DeliveryAttempt[];
}

type Time = "created_at" | "due_at" | "finished_at";

/** A row of `deliveryColumns`: times in epoch milliseconds. */
export type DeliveryRow = Omit<DeliveryView, Time> & {
  readonly created_at: number;
  readonly due_at: number;
  readonly finished_at: number | null;
};

/** What a DeliveryView needs of the table `deliveries`. */
export function deliveryColumns(sql: postgres.ISql) {
  return sql`delivery_id, to_jsonb(alert_ids) as alert_ids, channel, kind, route, deliveries.status, muted_by,
    attempts, last_error,
    extract(epoch from created_at)::float8 * 1000 as created_at,
    extract(epoch from due_at)::float8 * 1000 as due_at,
    extract(epoch from finished_at)::float8 * 1000 as finished_at`;
}

export function toDeliveryView(row: DeliveryRow): DeliveryView {
  return {
    delivery_id: row.delivery_id,
    alert_ids: row.alert_ids,
    channel: row.channel,
    kind: row.kind,
    route: row.route,
    status: row.status,
    muted_by: row.muted_by,
    attempts: row.attempts,
    created_at: toInstant(row.created_at),
    due_at: toInstant(row.due_at),
    finished_at: row.finished_at === null ? null : toInstant(row.finished_at),
    last_error: row.last_error,
  };
}

/** One page in one statement. Throws CursorError. */
export async function listDeliveries(
  sql: postgres.ISql,
  { status, channel, alertId, limit, cursor }: DeliveryQuery,
): Promise<DeliveryPage> {
  const place = cursor === undefined ? undefined : parsePlace(cursor);
  // How seldom an alert is told of nobody can estimate: without `offset 0` all deliveries were walked through.
  const source =
    alertId === undefined
      ? sql`deliveries`
      : sql`(select * from deliveries where alert_ids @> array[${alertId}::uuid] offset 0) as deliveries`;
  const rows = await sql<(DeliveryRow & { readonly place: string })[]>`
    select ${deliveryColumns(sql)}, to_json(created_at) #>> '{}' as place from ${source}
    where true
      ${status === undefined ? sql`` : sql`and deliveries.status = ${status}`}
      ${channel === undefined ? sql`` : sql`and channel = ${channel}`}
      ${place ? sql`and (created_at, delivery_id) < (${place.at}::text::timestamptz, ${place.id}::uuid)` : sql``}
    order by deliveries.created_at desc, delivery_id desc limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = last && rows.length > limit ? formatPlace({ at: last.place, id: last.delivery_id }) : null;
  return { items: items.map(toDeliveryView), next };
}

/** Two statements, however many attempts there were; the latest hundred of them are answered. */
export async function findDelivery(sql: postgres.ISql, id: string): Promise<DeliveryDetail | undefined> {
  const [row] = await sql<(DeliveryRow & { readonly message: Message })[]>`
    select ${deliveryColumns(sql)}, message from deliveries where delivery_id = ${id}`;
  if (!row) return undefined;
  const attempts = await sql<(Omit<DeliveryAttempt, "started_at"> & { readonly started_at: number })[]>`
    select * from (
      select attempt, extract(epoch from started_at)::float8 * 1000 as started_at, duration_ms, outcome,
        status_code, response, idempotency_key
      from delivery_attempts where delivery_id = ${id} order by attempt desc limit 100) as latest
    order by attempt`;
  return {
    ...toDeliveryView(row),
    message: row.message,
    attempt_history: attempts.map((attempt) => ({ ...attempt, started_at: toInstant(attempt.started_at) })),
  };
}
