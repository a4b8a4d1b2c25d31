import type postgres from "postgres";

import { type SummaryRow, summaryColumns } from "../store/list/summary.ts";
import type { LifeCycle } from "./transitions.ts";

/** An episode as the desk reads it: what people see, and which transaction wrote it last. */
export type EpisodeRow = SummaryRow & { readonly changed_by: string };

/** The columns of an `EpisodeRow`, of the table alias `episode`. */
export function episodeColumns(sql: postgres.ISql) {
  return sql`${summaryColumns(sql)}, episode.changed_by::text as changed_by`;
}

/** The part of it that people change. */
export function toLifeCycle({ status, disposition, assignee, snoozed_until }: EpisodeRow): LifeCycle {
  return { status, disposition, assignee, snoozedUntil: snoozed_until };
}
