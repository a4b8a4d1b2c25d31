import type postgres from "postgres";

import type { AlertSummary } from "../../alert-view.ts";
import { readDetails, type TaggedDetail } from "./detail.ts";
import { type RowsRequest, type PlacedRow, selectRows } from "./page.ts";
import { toSummary } from "./summary.ts";

export type ExportRequest = Omit<RowsRequest, "limit" | "after">;

/** Rows held in memory at a time. */
const summariesAtOnce = 500;
const detailsAtOnce = 100;

/** All alerts that match, a batch at a time; the next one is read when it is asked for. */
export async function* exportSummaries(
  sql: postgres.ISql,
  request: ExportRequest,
  now: number,
): AsyncGenerator<readonly AlertSummary[]> {
  for await (const rows of batches(sql, { ...request, limit: summariesAtOnce }, now))
    yield rows.map(toSummary);
}

/** The same with everything about each: two statements a batch. */
export async function* exportDetails(
  sql: postgres.ISql,
  request: ExportRequest,
  now: number,
): AsyncGenerator<readonly TaggedDetail[]> {
  for await (const rows of batches(sql, { ...request, limit: detailsAtOnce }, now)) {
    yield await readDetails(
      sql,
      rows.map(({ alert_id }) => alert_id),
    );
  }
}

/** Each batch begins behind the last row of the one before, so none is counted over. */
async function* batches(
  sql: postgres.ISql,
  request: RowsRequest,
  now: number,
): AsyncGenerator<readonly PlacedRow[]> {
  for (let after = request.after; ;) {
    const rows = await selectRows(sql, { ...request, after }, now);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (!last || rows.length < request.limit) return;
    after = { to: "next", values: last.place, id: last.alert_id };
  }
}
