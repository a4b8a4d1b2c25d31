import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import type { Log } from "../../../runtime/log.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { DeliveryView } from "../alert-view.ts";
import type { Message, OpenChannel } from "../channels/channel.ts";
import { isPicked } from "./is-picked.ts";
import {
  deliveryColumns,
  type DeliveryDetail,
  type DeliveryPage,
  type DeliveryQuery,
  type DeliveryRow,
  findDelivery,
  listDeliveries,
  toDeliveryView,
} from "./read-deliveries.ts";
import { standardHorizonMs, writeDeliveries } from "./write-deliveries.ts";

export interface DeliveriesDeps {
  readonly postgres: Pick<Postgres, "sql">;
  readonly channels: () => ReadonlyMap<string, OpenChannel>;
  /** Called after something became due. */
  readonly wake: () => void;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: Log;
  readonly horizonMs?: number;
}

/** Who wants something done, and why. */
export interface Wish {
  readonly by: string;
  readonly reason?: string;
}

/** The delivery as it is now; `refused` and `unchanged` leave it as it was. */
export type DeliveryResult =
  | { readonly kind: "changed" | "unchanged" | "refused"; readonly delivery: DeliveryView }
  | { readonly kind: "not-found" };

/** What people see of deliveries and do about them. Every call throws UnavailableError without a database. */
export interface Deliveries {
  list(query: DeliveryQuery): Promise<DeliveryPage>;
  find(id: string): Promise<DeliveryDetail | undefined>;
  /**
   * Sends one again: what failed, was discarded or muted goes under its own id, with a new horizon; what was
   * delivered goes as a new delivery of the kind `resent`. What is pending is on its way: unchanged.
   */
  resend(id: string, wish: Wish): Promise<DeliveryResult>;
  /** Gives up what has not been delivered; refused when it was. */
  discard(id: string, wish: Wish): Promise<DeliveryResult>;
  /** Makes what failed on a channel pending again, the oldest first, `max` (1000) at most. */
  redrive(channel: string, wish: Wish & { readonly max?: number }): Promise<Redriven>;
  /** Sends a channel a test message; `undefined` when there is no such channel. */
  testSend(channel: string, by: string): Promise<DeliveryView | undefined>;
}

export interface Redriven {
  readonly redriven: number;
  /** Whether there is more. */
  readonly more: boolean;
}

const maxRedriven = 1000;

export function createDeliveries(deps: DeliveriesDeps): Deliveries {
  const { sql } = deps.postgres;
  return {
    list: (query) => listDeliveries(sql, query),
    find: (id) => findDelivery(sql, id),
    resend: (id, wish) => resend(deps, id, wish),
    discard: (id, wish) => discard(deps, id, wish),
    redrive: (channel, wish) => redrive(deps, channel, wish),
    testSend: (channel, by) => testSend(deps, channel, by),
  };
}

async function resend(deps: DeliveriesDeps, id: string, wish: Wish): Promise<DeliveryResult> {
  const { sql } = deps.postgres;
  const [row] = await sql<DeliveryRow[]>`
    update deliveries set ${renewed(deps)}
    where delivery_id = ${id} and status in ('failed', 'discarded', 'muted')
    returning ${deliveryColumns(sql)}`;
  const known = row ? toDeliveryView(row) : await view(sql, id);
  if (!known) return { kind: "not-found" };
  if (!row && known.status !== "delivered") return { kind: "unchanged", delivery: known };
  const delivery = row ? known : await repeat(deps, id);
  if (!delivery) return { kind: "not-found" };
  deps.log.info({ ...wish, delivery: id, as: delivery.delivery_id }, "a delivery is sent again");
  deps.wake();
  return { kind: "changed", delivery };
}

/** A new delivery that says the same. */
async function repeat(deps: DeliveriesDeps, id: string): Promise<DeliveryView | undefined> {
  const { sql } = deps.postgres;
  const found = await findDelivery(sql, id);
  if (!found) return undefined;
  const { alert_ids, channel, route, message } = found;
  const delivery_id = deps.newId();
  const row = { delivery_id, alert_ids, channel, kind: "resent", route, message, muted_by: null };
  await writeDeliveries(sql, [row], { horizonMs: horizonOf(deps) });
  return await view(sql, delivery_id);
}

async function discard(deps: DeliveriesDeps, id: string, wish: Wish): Promise<DeliveryResult> {
  const { sql } = deps.postgres;
  const [row] = await sql<DeliveryRow[]>`
    update deliveries set status = 'discarded', finished_at = clock_timestamp()
    where delivery_id = ${id} and status in ('pending', 'failed', 'muted')
    returning ${deliveryColumns(sql)}`;
  if (row) {
    deps.log.info({ ...wish, delivery: id }, "a delivery was discarded");
    return { kind: "changed", delivery: toDeliveryView(row) };
  }
  const delivery = await view(sql, id);
  if (!delivery) return { kind: "not-found" };
  return { kind: delivery.status === "discarded" ? "unchanged" : "refused", delivery };
}

async function redrive(
  deps: DeliveriesDeps,
  channel: string,
  { max = maxRedriven, ...wish }: Wish & { readonly max?: number },
): Promise<Redriven> {
  const { sql } = deps.postgres;
  const { count } = await sql`
    with picked as materialized (
      select delivery_id, created_at from deliveries where channel = ${channel} and status = 'failed'
      order by created_at limit ${Math.min(max, maxRedriven)} for update skip locked)
    update deliveries set ${renewed(deps)} where ${isPicked(sql)}`;
  const left = await sql`
    select from deliveries where channel = ${channel} and status = 'failed' limit 1`;
  deps.log.info({ ...wish, channel, redriven: count }, "failed deliveries are sent again");
  if (count > 0) deps.wake();
  return { redriven: count, more: left.length > 0 };
}

async function testSend(
  deps: DeliveriesDeps,
  channel: string,
  by: string,
): Promise<DeliveryView | undefined> {
  const { sql } = deps.postgres;
  if (!deps.channels().has(channel)) return undefined;
  const delivery_id = deps.newId();
  const message = testMessage({ id: delivery_id, by, now: deps.now() });
  const row = { delivery_id, alert_ids: [], channel, kind: "test", route: null, message, muted_by: null };
  await writeDeliveries(sql, [row], { horizonMs: horizonOf(deps) });
  deps.log.info({ channel, by, delivery: delivery_id }, "a channel is tested");
  deps.wake();
  return await view(sql, delivery_id);
}

async function view(sql: postgres.ISql, id: string): Promise<DeliveryView | undefined> {
  const [row] = await sql<DeliveryRow[]>`
    select ${deliveryColumns(sql)} from deliveries where delivery_id = ${id}`;
  return row && toDeliveryView(row);
}

/** Pending as if it had never been tried, but for its id and the number of its attempts. */
function renewed(deps: DeliveriesDeps) {
  const { sql } = deps.postgres;
  return sql`status = 'pending', muted_by = null, last_error = null, finished_at = null, due_at = now(),
    give_up_at = now() + ${horizonOf(deps)}::float8 * interval '1 millisecond'`;
}

function horizonOf({ horizonMs = standardHorizonMs }: DeliveriesDeps): number {
  return horizonMs;
}

function testMessage({
  id,
  by,
  now,
}: {
  readonly id: string;
  readonly by: string;
  readonly now: number;
}): Message {
  const timestamp = toInstant(now);
  return {
    type: "test",
    timestamp,
    data: {
      alert_id: id,
      alert_name: "Test message",
      severity: "INFORMATIONAL",
      description: `${by} tests whether messages arrive here.`,
      timestamp,
      count: 1,
    },
  };
}
