import { decodeRequest } from "../../../events/http.ts";
import type { Event } from "../../../events/event.ts";
import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";

/** An event on its way to the broker that this process holds the lease of. */
export interface Claimed {
  readonly id: string;
  readonly event: Event;
  /** This attempt, from 1. */
  readonly attempt: number;
}

/** An event that this process holds the lease of and that cannot be read. */
export interface Unreadable extends Omit<Claimed, "event"> {
  readonly error: unknown;
}

export interface Claims {
  readonly events: readonly Claimed[];
  readonly unreadable: readonly Unreadable[];
}

/** When an event that was not confirmed may be claimed again. */
export interface PutOff {
  readonly id: string;
  readonly attempt: number;
  readonly afterMs: number;
}

/** The outbox table; all times are the database's. */
export interface EventOutbox {
  /** Takes events that are due and nobody else holds, for `leaseMs`; those that wait longest first. */
  claim(wanted: { readonly limit: number; readonly leaseMs: number }): Promise<Claims>;
  /** Removes what the broker confirmed, whoever holds the lease by now. */
  remove(ids: readonly string[]): Promise<void>;
  /** Gives events back, unless another attempt holds them by now. */
  putOff(events: readonly PutOff[]): Promise<void>;
  /** How many wait, counted up to 10,000, and in how many milliseconds the first is due. */
  look(): Promise<{ readonly depth: number; readonly dueMs: number | undefined }>;
}

/** What waits is counted no further than this. */
const maxDepth = 10_000;

/**
 * The outbox on PostgreSQL. What is due is asked with `now()`, which an index can be asked with, unlike
 * `clock_timestamp()`.
 */
export function createEventOutbox({ sql }: Pick<Postgres, "sql">): EventOutbox {
  return {
    async claim({ limit, leaseMs }) {
      const rows = await sql<{ id: string; event: object; attempt: number }[]>`
        update outbox set attempts = attempts + 1,
          due_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
        where outbox_id = any(array(
          select outbox_id from outbox where due_at <= now()
          order by due_at, outbox_id limit ${limit} for update skip locked))
        returning outbox_id::text as id, event, attempts as attempt`;
      const read = rows.map(({ event, ...row }) => ({ ...row, ...readEvent(event) }));
      return {
        events: read.flatMap((row) => ("event" in row ? [row] : [])),
        unreadable: read.flatMap((row) => ("error" in row ? [row] : [])),
      };
    },
    async remove(ids) {
      if (ids.length === 0) return;
      await sql`delete from outbox where outbox_id = any(${arrayLiteral(ids)}::bigint[])`;
    },
    async putOff(events) {
      if (events.length === 0) return;
      await sql`
        update outbox set due_at = clock_timestamp() + "afterMs" * interval '1 millisecond'
        from jsonb_to_recordset(${JSON.stringify(events)}::text::jsonb) as late (
          id bigint, attempt integer, "afterMs" float8)
        where outbox_id = late.id and attempts = late.attempt`;
    },
    async look() {
      const [row] = await sql<{ depth: number; due_ms: number | null }[]>`
        select (select count(*)::float8 from (select from outbox limit ${maxDepth}) as waiting) as depth,
          (select extract(epoch from min(due_at) - clock_timestamp())::float8 * 1000 from outbox) as due_ms`;
      return { depth: row?.depth ?? 0, dueMs: row?.due_ms == null ? undefined : Math.max(0, row.due_ms) };
    },
  };
}

/** One that cannot be read must not keep those from going that were claimed with it. */
function readEvent(event: object): { readonly event: Event } | { readonly error: unknown } {
  try {
    return { event: toEvent(event) };
  } catch (error) {
    return { error };
  }
}

/** The table holds events in the JSON format of CloudEvents. */
function toEvent(event: object): Event {
  return decodeRequest({
    headers: { "content-type": "application/cloudevents+json" },
    body: Buffer.from(JSON.stringify(event)),
  });
}
