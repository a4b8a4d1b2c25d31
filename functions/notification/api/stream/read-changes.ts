import type postgres from "postgres";

import type { Cursor } from "./cursor.ts";

/** An alert that is new or changed, or that became part of another one. */
export interface AlertChanged {
  readonly alert_id: string;
  readonly merged_into: string | null;
  readonly revision: number;
  readonly status: string;
  readonly severity: string;
  readonly count: number;
}

/** Some of the changes, in the order of their transactions. */
export interface ChangesPage {
  readonly changes: readonly AlertChanged[];
  /** What stands for everything that the statement saw. */
  readonly seen: Cursor;
  /** Where the next page begins; `undefined` when this was the last. */
  readonly next: string | undefined;
}

export interface ChangesRange {
  /** Changes that were not seen there. */
  readonly since: Cursor;
  /** And were seen here; without it, all there are. */
  readonly until?: Cursor | undefined;
  /** Behind this transaction: `next` of the page before. */
  readonly after?: string | undefined;
}

/** Changes on a page, give or take those of one transaction. */
const pageSize = 500;

/** A cursor that stands for now. */
export async function currentCursor(sql: postgres.Sql): Promise<Cursor> {
  const [row] = await sql<{ readonly seen: Cursor }[]>`select pg_current_snapshot()::text as seen`;
  if (!row) throw new Error("PostgreSQL told no snapshot.");
  return row.seen;
}

/**
 * A page of what changed between two snapshots, in one statement. An alert that changed again since stands
 * only where it changed last. What is suppressed nobody is told of.
 */
export async function readChanges(
  sql: postgres.Sql,
  { since, until, after = "0" }: ChangesRange,
): Promise<ChangesPage> {
  const rows = await sql<Row[]>`
    select pg_current_snapshot()::text as seen, changed_by::text, episode_id, merged_into, revision::float8,
      status, severity, count::float8
    from (values (1)) as always left join lateral (
      select * from episodes
      where changed_by >= pg_snapshot_xmin(${since}::text::pg_snapshot)
        and changed_by > ${after}::text::xid8
        and not pg_visible_in_snapshot(changed_by, ${since}::text::pg_snapshot)
        and (${until ?? null}::text is null
          or pg_visible_in_snapshot(changed_by, ${until ?? null}::text::pg_snapshot))
        and status <> 'suppressed'
      order by changed_by fetch first ${pageSize} rows with ties
    ) as changed on true
    order by changed.changed_by, episode_id`;
  const found = rows.filter((row): row is ChangedRow => row.episode_id !== null);
  return {
    changes: found.map(toChange),
    seen: rows[0]?.seen ?? since,
    next: found.length < pageSize ? undefined : found.at(-1)?.changed_by,
  };
}

type ChangedRow = Omit<AlertChanged, "alert_id"> & {
  readonly seen: Cursor;
  readonly changed_by: string;
  readonly episode_id: string;
};
type Row = ChangedRow | { readonly seen: Cursor; readonly episode_id: null };

function toChange({ episode_id, merged_into, revision, status, severity, count }: ChangedRow): AlertChanged {
  return { alert_id: episode_id, merged_into, revision, status, severity, count };
}

/** How many alerts wait for somebody. */
export interface Counters {
  readonly open: number;
  readonly critical_open: number;
}

/** Counted no further than this, so that a flood does not make counting slow. */
const mostCounted = 10_000;

/** Alerts that are open, and those of them that are critical; 10,000 stands for that many or more. */
export async function readCounters(sql: postgres.Sql): Promise<Counters> {
  const [row] = await sql<Counters[]>`
    select
      (select count(*)::float8 from (
        select from episodes where merged_into is null and status = 'open' limit ${mostCounted}
      ) as found) as open,
      (select count(*)::float8 from (
        select from episodes
        where merged_into is null and status = 'open' and severity_rank = 5 limit ${mostCounted}
      ) as found) as critical_open`;
  return row ?? { open: 0, critical_open: 0 };
}
