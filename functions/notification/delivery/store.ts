import type postgres from "postgres";

import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { Message } from "../channels/channel.ts";
import { toStoredJson } from "../store/stored-text.ts";
import type { Outcome } from "./policy.ts";
import { isPicked } from "./is-picked.ts";
import { sweepDeliveries, type SweepResult } from "./sweep.ts";

/** A delivery that this process holds the lease of. */
export interface Claim {
  readonly id: string;
  /** A part of the key; RFC 3339 with microseconds. */
  readonly createdAt: string;
  readonly alertIds: readonly string[];
  readonly channel: string;
  readonly message: Message;
  /** This attempt, from 1; an outcome that is not this attempt's own is told by it. */
  readonly attempt: number;
  /** When it was claimed, epoch milliseconds, and how long until it is given up: the database's clock. */
  readonly claimedAt: number;
  readonly leftMs: number;
}

/** An attempt that ended. */
export interface Ended {
  readonly claim: Claim;
  readonly outcome: Outcome;
  /** Epoch milliseconds of the database's clock. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** What others are told of it, as a structured CloudEvent. */
  readonly event: Readonly<Record<string, unknown>> | undefined;
}

/** How many deliveries of a channel may be claimed now. */
export interface Room {
  readonly channel: string;
  readonly room: number;
}

/** Deliveries and their attempts. All times are the database's, so the clocks of processes do not matter. */
export interface DeliveryStore {
  /** Takes deliveries that are due and nobody else holds, for `leaseMs`; one statement for all channels. */
  claim(rooms: readonly Room[], leaseMs: number): Promise<readonly Claim[]>;
  /**
   * Writes attempts, what became of their deliveries and the events about it: all or nothing, and nothing
   * when they are written already. At most one attempt of a delivery in a call. A message that arrived
   * counts whoever holds the lease by now; a failure of an attempt that lost it changes nothing.
   */
  record(attempts: readonly Ended[]): Promise<void>;
  /** Puts off what of a channel is due before then, without using up attempts; not beyond the horizon. */
  putOff(channel: string, forMs: number): Promise<number>;
  /** Gives up what is beyond its horizon, and notes what waits for a channel that is not there. */
  sweep(channels: readonly string[]): Promise<SweepResult>;
  /** Milliseconds until the next delivery of these channels is due; `undefined` when none is pending. */
  nextDue(channels: readonly string[]): Promise<number | undefined>;
}

/** Rows that one statement puts off at most: others are due, but their channel is not asked for them. */
const putOffRows = 10_000;

/**
 * The store in PostgreSQL. What is due is asked with `now()`, which an index can be asked with, unlike
 * `clock_timestamp()`, and channel by channel: what waits for a receiver that is away is not walked through.
 */
export function createDeliveryStore(postgres: Pick<Postgres, "sql" | "transaction">): DeliveryStore {
  const { sql } = postgres;
  return {
    claim: (rooms, leaseMs) => claim(sql, rooms, leaseMs),
    record: (attempts) => record(sql, attempts),
    putOff: (channel, forMs) => putOff(sql, channel, forMs),
    sweep: (channels) => sweepDeliveries(postgres, channels),
    nextDue: (channels) => nextDue(sql, channels),
  };
}

async function claim(sql: postgres.ISql, rooms: readonly Room[], leaseMs: number): Promise<readonly Claim[]> {
  return await sql<Claim[]>`
    with picked as materialized (
      select next.delivery_id, next.created_at
      from jsonb_to_recordset(${JSON.stringify(rooms)}::text::jsonb) as wanted (channel text, room int),
        lateral (
          select delivery_id, created_at from deliveries
          where status = 'pending' and channel = wanted.channel and due_at <= now() and give_up_at > now()
          order by due_at limit wanted.room
          for update skip locked) as next)
    update deliveries set attempts = attempts + 1,
      due_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
    where ${isPicked(sql)}
    returning delivery_id as id, to_json(created_at) #>> '{}' as "createdAt",
      to_jsonb(alert_ids) as "alertIds", channel, message, attempts as attempt,
      extract(epoch from clock_timestamp())::float8 * 1000 as "claimedAt",
      extract(epoch from give_up_at - clock_timestamp())::float8 * 1000 as "leftMs"`;
}

async function record(sql: postgres.ISql, attempts: readonly Ended[]): Promise<void> {
  await sql`
    with picked as materialized (
      select *, timestamptz 'epoch' + started_ms * interval '1 millisecond' as started,
        timestamptz 'epoch' + (started_ms + duration_ms + after_ms) * interval '1 millisecond' as next_due
      from jsonb_to_recordset(${toStoredJson(attempts.map(toRow))}::text::jsonb) as ended (
        delivery_id uuid, created_at timestamptz, attempt int, started_ms float8, duration_ms float8,
        after_ms float8, outcome text, status_code int, response text, error text, event jsonb)),
    told as (
      insert into delivery_attempts (delivery_id, attempt, started_at, duration_ms, outcome, status_code,
        response, idempotency_key)
      select delivery_id, attempt, started, duration_ms, outcome, status_code, coalesce(response, error),
        delivery_id::text
      from picked on conflict do nothing
      returning delivery_id, attempt),
    changed as (
      update deliveries set
        status = case picked.outcome when 'again' then 'pending' else picked.outcome end,
        last_error = picked.error,
        due_at = case picked.outcome when 'again' then picked.next_due else due_at end,
        finished_at = case picked.outcome when 'again' then null else clock_timestamp() end
      from picked join told using (delivery_id, attempt)
      where ${isPicked(sql)}
        and deliveries.delivery_id = picked.delivery_id and deliveries.created_at = picked.created_at
        and case picked.outcome when 'delivered' then deliveries.status <> 'delivered'
          else deliveries.status = 'pending' and deliveries.attempts = picked.attempt end
      returning picked.event)
    insert into outbox (event) select event from changed where event is not null`;
}

async function putOff(sql: postgres.ISql, channel: string, forMs: number): Promise<number> {
  const put = await sql`
    with picked as materialized (
      select delivery_id, created_at from deliveries
      where status = 'pending' and channel = ${channel}
        and due_at < least(give_up_at, now() + ${forMs}::float8 * interval '1 millisecond')
      order by due_at limit ${putOffRows} for update skip locked)
    update deliveries
    set due_at = least(give_up_at, now() + ${forMs}::float8 * interval '1 millisecond')
    where ${isPicked(sql)}`;
  return put.count;
}

async function nextDue(sql: postgres.ISql, channels: readonly string[]): Promise<number | undefined> {
  const [row] = await sql<{ ms: number | null }[]>`
    select extract(epoch from min(due_at) - clock_timestamp())::float8 * 1000 as ms
    from jsonb_array_elements_text(${JSON.stringify(channels)}::text::jsonb) as wanted (name),
      lateral (
        select due_at from deliveries
        where status = 'pending' and channel = wanted.name and give_up_at > now()
        order by due_at limit 1) as next`;
  return row?.ms == null ? undefined : Math.max(0, row.ms);
}

function toRow({ claim, outcome, startedAt, durationMs, event }: Ended) {
  return {
    delivery_id: claim.id,
    created_at: claim.createdAt,
    attempt: claim.attempt,
    started_ms: startedAt,
    duration_ms: durationMs,
    after_ms: outcome.kind === "again" ? outcome.afterMs : 0,
    outcome: outcome.kind,
    status_code: outcome.status ?? null,
    response: outcome.response ?? null,
    error: outcome.kind === "delivered" ? null : outcome.reason,
    event: event ?? null,
  };
}
