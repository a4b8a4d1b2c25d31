import type postgres from "postgres";

import type { AlertSummary } from "../../alert-view.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";
import { type Selection, toSelection } from "./request.ts";
import { isBehind, orderBy, placeColumns, type Sort } from "./sort.ts";
import { summaryColumns, type SummaryRow, toSummary } from "./summary.ts";
import { unprepared } from "./unprepared.ts";

export interface ListRequest extends Selection {
  readonly sort: Sort;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface ListPage {
  readonly items: readonly AlertSummary[];
  /** Cursors; null where nothing comes. */
  readonly next: string | null;
  readonly prev: string | null;
}

export type PlacedRow = SummaryRow & { readonly place: readonly string[] };

/** A page of alerts, in one statement that begins where the cursor stands. Throws CursorError. */
export async function listPage(sql: postgres.ISql, request: ListRequest, now: number): Promise<ListPage> {
  const { sort, limit } = request;
  const cursor = request.cursor === undefined ? undefined : decodeCursor(sort, request.cursor);
  // One row more tells whether there are any.
  const found = await selectRows(sql, { ...request, limit: limit + 1, after: cursor }, now);
  const isReversed = cursor?.to === "prev";
  const rows = isReversed ? found.slice(0, limit).toReversed() : found.slice(0, limit);
  const isMore = found.length > limit;
  const at = (row: PlacedRow | undefined, to: Cursor["to"]) =>
    row ? encodeCursor(sort, { to, values: row.place, id: row.alert_id }) : null;
  return {
    items: rows.map(toSummary),
    next: isReversed || isMore ? at(rows.at(-1), "next") : null,
    prev: cursor && (!isReversed || isMore) ? at(rows[0], "prev") : null,
  };
}

export interface RowsRequest extends Selection {
  readonly sort: Sort;
  readonly limit: number;
  readonly after?: Cursor | undefined;
}

/** Rows from a place on, in the order of the list or, for a page before, against it. */
export async function selectRows(
  sql: postgres.ISql,
  { sort, limit, after, ...selection }: RowsRequest,
  now: number,
): Promise<readonly PlacedRow[]> {
  const order = { sort, isReversed: after?.to === "prev" };
  return await unprepared(sql<PlacedRow[]>`
    select ${placeColumns(sql, sort)}, ${summaryColumns(sql)}
    from episodes as episode
    where ${toSelection(sql, selection, now)} and ${after ? isBehind(sql, order, after) : sql`true`}
    order by ${orderBy(sql, order)}
    limit ${limit}`);
}
