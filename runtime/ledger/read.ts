import type postgres from "postgres";

import type { Event } from "../../events/event.ts";
import { arrayLiteral } from "../postgres/array.ts";
import type { EventRange, LedgerCounts, LedgerEntry, OverduePage } from "./ledger.ts";
import { futureMs } from "./limits.ts";
import { instant, milliseconds } from "./sql.ts";
import { fromText } from "./stored-event.ts";

/** Rows per page of a replay: few enough to be held in memory even when all are of the largest size. */
const pageRows = 200;

/** The years a `timestamptz` computed from milliseconds can surely hold. */
const earliestMs = Date.UTC(0, 0, 1) - 2000 * 366 * 86_400_000;
const latestMs = Date.UTC(9999, 11, 31);

const overdue = "next_at <= now() - $1::float8 * interval '1 millisecond'";

const unevaluatedText = `
select event
from event_keys as known join events using (accepted_at, key)
where evaluated_at is null and rejected_at is null and ${overdue}
order by next_at, known.key
limit $2::integer`;

const unstoredText = `
select event from detections
where stored_at is null and ${overdue}
order by next_at, key
limit $2::integer`;

export function readUnevaluated(sql: postgres.ISql, page: OverduePage): Promise<readonly Event[]> {
  return readOverdue(sql, unevaluatedText, page);
}

export function readUnstored(sql: postgres.ISql, page: OverduePage): Promise<readonly Event[]> {
  return readOverdue(sql, unstoredText, page);
}

async function readOverdue(
  sql: postgres.ISql,
  text: string,
  { olderThanMs, limit }: OverduePage,
): Promise<readonly Event[]> {
  const rows = await sql.unsafe<{ event: string }[]>(text, [olderThanMs, limit], { prepare: true });
  return rows.map(({ event }) => fromText(event));
}

interface ReplayRow {
  readonly key: Buffer;
  readonly time: number;
  readonly event: string;
}

/** An event is accepted at most `futureMs` before its time, so older partitions need not be looked at. */
const replayText = `
select key, ${milliseconds("time")} as time, event
from events
where (time, key) > (${instant("$1::float8")}, $2::bytea) and time < ${instant("$3::float8")}
  and accepted_at >= ${instant(`($4::float8 - ${futureMs})`)}
  and ($5::text[] is null or type = any($5::text[]))
order by time, key
limit ${pageRows}`;

/**
 * Pages by (time, key), each page a statement of its own: no transaction stays open and no cursor holds a
 * connection while the reader works. Events accepted meanwhile behind the reader's position are not seen.
 */
export async function* replayEvents(
  sql: postgres.ISql,
  { from, to, types }: EventRange,
): AsyncIterable<LedgerEntry> {
  const [start, end] = [clamp(from), clamp(to)];
  let after: Pick<ReplayRow, "time" | "key"> = { time: start, key: Buffer.alloc(0) };
  for (;;) {
    const rows = await sql.unsafe<ReplayRow[]>(
      replayText,
      [after.time, after.key, end, start, types ? arrayLiteral(types) : null],
      { prepare: true },
    );
    for (const { event, time } of rows) yield { event: fromText(event), time };
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    after = last;
  }
}

function clamp(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, earliestMs), latestMs));
}

/** Totals from their counters; pending is really counted, from an index that holds nothing else. */
export async function readCounts(sql: postgres.ISql): Promise<LedgerCounts> {
  const [counts] = await sql.unsafe<LedgerCounts[]>(`
    select coalesce(sum(accepted), 0)::float8 as accepted, coalesce(sum(evaluated), 0)::float8 as evaluated,
      coalesce(sum(rejected), 0)::float8 as rejected,
      (select count(*) from event_keys where evaluated_at is null and rejected_at is null)::float8 as pending
    from ledger_counts`);
  if (!counts) throw new Error("An aggregate answered no row.");
  return counts;
}
