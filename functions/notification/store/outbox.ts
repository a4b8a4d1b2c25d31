import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import type { Message } from "../channels/channel.ts";

/** A delivery that this process holds the lease of. */
export interface Claim {
  readonly id: string;
  readonly channel: string;
  readonly message: Message;
  /** This attempt, from 1; marks that are not this attempt's own are refused by it. */
  readonly attempt: number;
}

/** How an attempt ended. */
export type Result =
  | { readonly kind: "delivered" }
  | { readonly kind: "again"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** Messages to people, and who is delivering them. All times are the database's. */
export interface Outbox {
  /** Takes deliveries that are due and nobody else holds, for `leaseMs`. */
  claim(wanted: {
    readonly channels: readonly string[];
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<readonly Claim[]>;
  mark(claim: Claim, result: Result): Promise<void>;
  /** Milliseconds until the next delivery of these channels is due; `undefined` when none is pending. */
  nextDue(channels: readonly string[]): Promise<number | undefined>;
}

/**
 * The outbox in the `deliveries` table. What is due is asked with `now()`, which an index can be asked with,
 * unlike `clock_timestamp()`: when a receiver is away, all that waits for it would be walked through each time.
 */
export function createOutbox({ sql }: Postgres): Outbox {
  return {
    async claim({ channels, limit, leaseMs }) {
      return await sql<Claim[]>`
        update deliveries set attempts = attempts + 1,
          due_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
        where delivery_id in (
          select delivery_id from deliveries
          where status = 'pending' and due_at <= now()
            and channel in (select jsonb_array_elements_text(${JSON.stringify(channels)}::text::jsonb))
          order by due_at limit ${limit} for update skip locked)
        returning delivery_id as id, channel, message, attempts as attempt`;
    },
    async mark({ id, attempt }, result) {
      if (result.kind === "delivered") {
        // Whoever holds the lease by now: it did arrive.
        await sql`
          update deliveries set status = 'delivered', finished_at = clock_timestamp(), last_error = null
          where delivery_id = ${id}`;
        return;
      }
      const status = result.kind === "failed" ? "failed" : "pending";
      const afterMs = result.kind === "again" ? result.afterMs : 0;
      await sql`
        update deliveries set status = ${status}, last_error = ${result.reason},
          due_at = clock_timestamp() + ${afterMs}::float8 * interval '1 millisecond',
          finished_at = case when ${status} = 'failed' then clock_timestamp() end
        where delivery_id = ${id} and attempts = ${attempt} and status = 'pending'`;
    },
    async nextDue(channels) {
      const [row] = await sql<{ ms: number }[]>`
        select extract(epoch from due_at - clock_timestamp())::float8 * 1000 as ms from deliveries
        where status = 'pending'
          and channel in (select jsonb_array_elements_text(${JSON.stringify(channels)}::text::jsonb))
        order by due_at limit 1`;
      return row && Math.max(0, row.ms);
    },
  };
}
