import type { Postgres } from "../postgres/postgres.ts";

export interface LedgerRetentionOptions {
  readonly postgres: Postgres;
  /** At least 1. */
  readonly days: number;
  /** Only tell what would go. */
  readonly dryRun: boolean;
}

/** What was forgotten of one month of events, or would be. */
export interface LedgerRetention {
  /** The partition of `events`. */
  readonly partition: string;
  readonly events: number;
  readonly keys: number;
  readonly detections: number;
  /** Events that stay, because they were not judged yet or what they raised was not stored yet. */
  readonly pending: number;
  /** Whether the whole partition went. */
  readonly dropped: boolean;
}

/** Events per statement. */
const pageSize = 5000;

/**
 * Makes the ledger forget events that were accepted more than so many days ago, as whole months where it can;
 * see 0004_retention for what stays and what a redelivery means afterwards. Safe to run at any time, twice at
 * once and after a run that was cut off.
 */
export async function runLedgerRetention(
  options: LedgerRetentionOptions,
): Promise<readonly LedgerRetention[]> {
  const { postgres, days, dryRun } = options;
  const old = await postgres.sql<Expired[]>`
    select name, whole, events::float8 as events, keys::float8 as keys, detections::float8 as detections,
      pending::float8 as pending
    from ledger_expired(${days})`;
  const results: LedgerRetention[] = [];
  for (const { name, whole, ...counts } of old) {
    const planned = { partition: name, ...counts, dropped: whole && counts.pending === 0 };
    results.push(dryRun ? planned : await forget(options, planned));
  }
  return results;
}

interface Expired extends Omit<LedgerRetention, "partition" | "dropped"> {
  readonly name: string;
  /** Whether the partition is over, rather than the default one. */
  readonly whole: boolean;
}

async function forget(
  { postgres, days }: LedgerRetentionOptions,
  planned: LedgerRetention,
): Promise<LedgerRetention> {
  const { partition, pending } = planned;
  const gone = { events: 0, keys: 0, detections: 0 };
  let after: Pick<Page, "last_at" | "last_key"> = { last_at: "-infinity", last_key: "" };
  for (;;) {
    const [page] = await postgres.sql<Page[]>`
      select last_at, encode(last_key, 'hex') as last_key, events::float8 as events, keys::float8 as keys,
        detections::float8 as detections
      from ledger_forget(${days}, ${partition}, ${after.last_at}, decode(${after.last_key}, 'hex'), ${pageSize})`;
    if (!page) break;
    gone.events += page.events;
    gone.keys += page.keys;
    gone.detections += page.detections;
    after = page;
  }
  if (!planned.dropped) return { partition, ...gone, pending, dropped: false };
  const [row] = await postgres.sql<{ events: number | null }[]>`
    select ledger_drop(${days}, ${partition})::float8 as events`;
  const dropped = row?.events ?? null;
  return { partition, ...gone, events: dropped ?? gone.events, pending, dropped: dropped !== null };
}

interface Page {
  readonly last_at: string;
  readonly last_key: string;
  readonly events: number;
  readonly keys: number;
  readonly detections: number;
}
