import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import type { AlertSummary } from "../alert-view.ts";
import type { Query } from "../query/query.ts";
import { toCondition } from "../query/sql.ts";
import { type SummaryRow, summaryColumns, toSummary } from "../store/list/summary.ts";

/** A range of `last_seen` in epoch milliseconds: from (inclusive) to (exclusive). */
export interface PreviewRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** What a silence would have muted of the alerts that are stored, suppressed ones left out. */
export interface Preview {
  readonly matched: number;
  /** More match than were counted. */
  readonly capped: boolean;
  /** How many of the counted ones turned out to be true positives: what would have been missed. */
  readonly true_positives: number;
  /** The newest. */
  readonly sample: readonly AlertSummary[];
}

const maxCounted = 10_000;
const sampled = 5;

/** Counts and samples, newest by `last_seen` first, in two statements. */
export async function readPreview(
  sql: postgres.Sql,
  query: Query,
  { from, to, now }: PreviewRange & { readonly now: number },
): Promise<Preview> {
  const matching = (limit: number) => sql`
    select * from episodes as episode
    where merged_into is null and status <> 'suppressed' and (${toCondition(sql, query, now)})
      ${from === undefined ? sql`` : sql`and last_seen >= ${toInstant(from)}::timestamptz`}
      ${to === undefined ? sql`` : sql`and last_seen < ${toInstant(to)}::timestamptz`}
    order by last_seen desc, episode_id desc limit ${limit}`;
  const [counts] = await sql<{ matched: number; true_positives: number }[]>`
    select count(*)::integer as matched,
      (count(*) filter (where place <= ${maxCounted} and disposition = 'true_positive'))::integer as true_positives
    from (select disposition, row_number() over () as place from (${matching(maxCounted + 1)}) as found) as found`;
  const rows = await sql<SummaryRow[]>`
    select ${summaryColumns(sql)} from (${matching(sampled)}) as episode
    order by last_seen desc, episode_id desc`;
  const matched = counts?.matched ?? 0;
  return {
    matched: Math.min(matched, maxCounted),
    capped: matched > maxCounted,
    true_positives: counts?.true_positives ?? 0,
    sample: rows.map(toSummary),
  };
}
