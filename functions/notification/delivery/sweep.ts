import type postgres from "postgres";

import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { toStoredJson } from "../store/stored-text.ts";
import { toDeliveryEvent } from "./events.ts";
import { isPicked } from "./is-picked.ts";

export interface SweepResult {
  /** Deliveries that were given up: dead letters now. */
  readonly givenUp: readonly GivenUp[];
  /** Deliveries that wait for a channel that is not there, seen for the first time. */
  readonly stranded: number;
}

export interface GivenUp {
  readonly id: string;
  readonly channel: string;
  readonly reason: string;
  /** Why no event tells of it: its contract does not admit it. */
  readonly untold?: unknown;
}

interface ExpiredRow {
  readonly id: string;
  readonly alertIds: readonly string[];
  readonly channel: string;
  readonly attempts: number;
  readonly reason: string;
  readonly at: number;
}

/** Per statement; the rest is for the next sweep: `isFull` says whether there may be any. */
const maxRows = 1000;

export function isFull({ givenUp, stranded }: SweepResult): boolean {
  return givenUp.length >= maxRows || stranded >= maxRows;
}

/**
 * Gives up what is due and beyond its horizon, whether its channel is there or not, with an event for each,
 * and notes on what waits for none of `channels` why it does. Leases are respected: a delivery that is under
 * way is not due. Rows that somebody else holds are left to them.
 */
export async function sweepDeliveries(
  { sql, transaction }: Pick<Postgres, "sql" | "transaction">,
  channels: readonly string[],
): Promise<SweepResult> {
  const names = JSON.stringify(channels);
  const stranded = await sql`
    with picked as materialized (
      select delivery_id, created_at from deliveries
      where status = 'pending' and due_at <= now() and give_up_at > now() and ${isMissing(sql, names)}
        and last_error is distinct from ${missing(sql)}
      order by due_at limit ${maxRows} for update skip locked)
    update deliveries set last_error = ${missing(sql)} where ${isPicked(sql)}`;
  return { stranded: stranded.count, givenUp: await transaction((inside) => giveUp(inside, names)) };
}

async function giveUp(sql: postgres.TransactionSql, names: string): Promise<readonly GivenUp[]> {
  const rows = await sql<ExpiredRow[]>`
    with picked as materialized (
      select delivery_id, created_at from deliveries
      where status = 'pending' and due_at <= now() and give_up_at <= now()
      order by due_at limit ${maxRows} for update skip locked)
    update deliveries set status = 'failed', finished_at = clock_timestamp(),
      last_error = case when ${isMissing(sql, names)} then ${missing(sql)}
        else coalesce(last_error, 'It could not be delivered in time.') end
    where ${isPicked(sql)}
    returning delivery_id as id, to_jsonb(alert_ids) as "alertIds", channel, attempts, last_error as reason,
      extract(epoch from clock_timestamp())::float8 * 1000 as at`;
  const told = rows.map((row) => ({ row, ...eventOf(row) }));
  const events = told.flatMap(({ event }) => event ?? []);
  if (events.length > 0) {
    await sql`
      insert into outbox (event)
      select value from jsonb_array_elements(${toStoredJson(events)}::text::jsonb)`;
  }
  return told.map(({ row: { id, channel, reason }, untold }) => ({
    id,
    channel,
    reason,
    ...(untold !== undefined && { untold }),
  }));
}

/** An event that its contract does not admit must not keep the others from being given up. */
function eventOf(row: ExpiredRow): {
  readonly event?: ReturnType<typeof toEvent>;
  readonly untold?: unknown;
} {
  try {
    return { event: toEvent(row) };
  } catch (error) {
    return { untold: error };
  }
}

function toEvent({ id, alertIds, channel, attempts, reason, at }: ExpiredRow) {
  return toDeliveryEvent({
    // It is about no attempt, so its id is none's.
    eventId: `${id}/expired/${attempts}`,
    deliveryId: id,
    alertIds,
    channel,
    attempt: attempts,
    outcome: { kind: "failed", code: "DELIVERY_EXPIRED", reason },
    endedAt: at,
  });
}

function isMissing(sql: postgres.ISql, names: string) {
  return sql`channel not in (select jsonb_array_elements_text(${names}::text::jsonb))`;
}

function missing(sql: postgres.ISql) {
  return sql`'There is no channel named ' || channel || '.'`;
}
