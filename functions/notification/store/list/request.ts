import type postgres from "postgres";

import { asksForSuppressed, type Query } from "../../query/query.ts";
import { toCondition } from "../../query/sql.ts";
import { type Fragment, instant } from "../../query/sql-parts.ts";

/** Which alerts; `from` (inclusive) and `to` (exclusive) bound `last_seen`, in epoch milliseconds. */
export interface Selection {
  readonly query: Query;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Also what is suppressed; a query that names it asks for it, too. */
  readonly suppressed?: boolean | undefined;
}

/** A selection as a condition on the alias `episode`; null counts as false. `now` in epoch milliseconds. */
export function toSelection(sql: postgres.ISql, selection: Selection, now: number): Fragment {
  const { query, from, to, suppressed } = selection;
  const isShown = suppressed || asksForSuppressed(query) ? sql`true` : sql`episode.status <> 'suppressed'`;
  const isLate = from === undefined ? sql`true` : sql`episode.last_seen >= ${instant(sql, from)}`;
  const isEarly = to === undefined ? sql`true` : sql`episode.last_seen < ${instant(sql, to)}`;
  return sql`episode.merged_into is null and ${isShown} and ${isLate} and ${isEarly}
    and ${toCondition(sql, query, now)}`;
}
