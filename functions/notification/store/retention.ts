import { z } from "zod";

import { runLedgerRetention } from "../../../runtime/ledger/retention.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { countSetting } from "../../../runtime/settings.ts";

/** How long everything is kept; for ever when unset. */
export const retentionSettings = z.object({ AUDITFLOW_RETENTION_DAYS: countSetting.max(36_500).optional() });

export interface RetentionOptions {
  readonly postgres: Postgres;
  /** At least 1. */
  readonly days: number;
  /** Only tell what would go. */
  readonly dryRun: boolean;
}

/** What went of one table, or would go. */
export interface TableRetention {
  readonly table: string;
  readonly rows: number;
  /** How many of those are of alerts that are still open. */
  readonly open_rows: number;
  /** The partitions that were dropped as a whole. */
  readonly dropped: readonly string[];
  /** The partitions that are old and stay for now: in use, or something in them is pending. */
  readonly kept: readonly string[];
}

export interface RetentionReport {
  readonly days: number;
  readonly dry_run: boolean;
  readonly tables: readonly TableRetention[];
  /** Partitions made for the months ahead. */
  readonly partitions_made: number;
}

/**
 * Deletes what is older than so many days from all tables of alerts, deliveries, dead letters and the ledger,
 * as whole months where it can, and makes the partitions of the months ahead. What is pending in the ledger
 * stays, and so does the month of a delivery that is still tried. Safe to run at any time, twice at once and after a run that was cut off. Throws UnavailableError while
 * the database is away.
 */
export async function runRetention(options: RetentionOptions): Promise<RetentionReport> {
  const { postgres, days, dryRun } = options;
  const partitions = await expirePartitions(options);
  const small = [
    await expireRows(options, { table: "silences", age: "ends_at", keptDays: days }),
    // The same answer to a repeated request is only promised for a day.
    await expireRows(options, { table: "idempotency_keys", age: "created_at", keptDays: 1 }),
  ];
  const ledger = await expireLedger(options);
  const made = dryRun ? 0 : await ensurePartitions(postgres);
  return { days, dry_run: dryRun, tables: [...partitions, ...small, ...ledger], partitions_made: made };
}

interface Expired {
  readonly name: string;
  readonly parent: string;
  readonly whole: boolean;
  readonly rows: number;
  readonly open: number;
  /** It is a month with deliveries that are still tried. */
  readonly pending: boolean;
}

async function expirePartitions(options: RetentionOptions): Promise<readonly TableRetention[]> {
  const { postgres, days, dryRun } = options;
  const old = await postgres.sql<Expired[]>`
    select name, parent, whole, rows::float8 as rows, open::float8 as open, pending
    from notification_expired(${days})`;
  const results: { readonly partition: Expired; readonly isGone: boolean }[] = [];
  for (const partition of old) {
    // An episode whose alert is gone would be listed and could not be opened or written.
    const named = partition.name.replace(/^alerts/, "episodes");
    const isNeeded = results.some((other) => !other.isGone && other.partition.name === named);
    const isHeld = isNeeded || partition.pending;
    const isGone = !isHeld && (dryRun || (await expirePartition(options, partition)));
    results.push({ partition, isGone });
  }
  return [...Map.groupBy(results, ({ partition }) => partition.parent)].map(([table, parts]) => {
    const gone = parts.filter(({ isGone }) => isGone).map(({ partition }) => partition);
    const kept = parts.filter(({ isGone }) => !isGone).map(({ partition }) => partition.name);
    return {
      table,
      rows: gone.reduce((sum, { rows }) => sum + rows, 0),
      open_rows: gone.reduce((sum, { open }) => sum + open, 0),
      dropped: gone.filter(({ whole }) => whole).map(({ name }) => name),
      kept,
    };
  });
}

/** Rows per statement that deletes. */
const pageSize = 5000;

async function expirePartition(
  { postgres, days }: RetentionOptions,
  { name, whole }: Expired,
): Promise<boolean> {
  for (;;) {
    const [row] = await postgres.sql<{ deleted: number | null }[]>`
      select notification_expire(${days}, ${name}, ${pageSize})::float8 as deleted`;
    const deleted = row?.deleted ?? null;
    if (deleted === null) return false;
    if (whole || deleted < pageSize) return true;
  }
}

interface SmallTable {
  readonly table: "silences" | "idempotency_keys";
  /** The column that tells a row's age. */
  readonly age: string;
  readonly keptDays: number;
}

/** Of tables without partitions, which the function's own role may delete from. */
async function expireRows(
  { postgres, dryRun }: RetentionOptions,
  { table, age, keptDays }: SmallTable,
): Promise<TableRetention> {
  const result = (rows: number) => ({ table, rows, open_rows: 0, dropped: [], kept: [] });
  const old = `from ${table} where ${age} < notification_cutoff($1::integer)`;
  if (dryRun) {
    const [row] = await postgres.sql.unsafe<{ rows: number }[]>(`select count(*)::float8 as rows ${old}`, [
      keptDays,
    ]);
    return result(row?.rows ?? 0);
  }
  const text = `delete from ${table} where ctid in (select ctid ${old} limit ${pageSize})`;
  let rows = 0;
  for (;;) {
    const { count } = await postgres.sql.unsafe(text, [keptDays]);
    rows += count;
    if (count < pageSize) return result(rows);
  }
}

async function expireLedger(options: RetentionOptions): Promise<readonly TableRetention[]> {
  const parts = await runLedgerRetention(options);
  const sum = (name: "events" | "keys" | "detections") => parts.reduce((rows, part) => rows + part[name], 0);
  const plain = { open_rows: 0, dropped: [], kept: [] };
  return [
    {
      table: "events",
      rows: sum("events"),
      open_rows: 0,
      dropped: parts.filter(({ dropped }) => dropped).map(({ partition }) => partition),
      kept: parts.filter(({ pending }) => pending > 0).map(({ partition }) => partition),
    },
    { table: "event_keys", rows: sum("keys"), ...plain },
    { table: "detections", rows: sum("detections"), ...plain },
  ];
}

/** Makes the partitions of the months ahead, of alerts and of the ledger. */
export async function ensurePartitions({ sql }: Postgres): Promise<number> {
  const [row] = await sql<{ made: number }[]>`
    select notification_ensure_partitions() + ledger_ensure_partitions() as made`;
  return row?.made ?? 0;
}
