import type postgres from "postgres";

import type { AlertChange } from "../alert-view.ts";
import type { ActionName, Change } from "./action.ts";
import { episodeColumns, type EpisodeRow, toLifeCycle } from "./episode-row.ts";
import { findLastChanges } from "./find-episodes.ts";
import { changedParts, decide, type Decision, type LifeCycle } from "./transitions.ts";
import { writeChanges } from "./write-changes.ts";

/** An episode and what a change does to it. */
export interface Judged {
  readonly episode: EpisodeRow;
  readonly decision: Decision;
}

/** An episode as it is after its change, and the change. */
export interface Applied {
  readonly episode: EpisodeRow;
  readonly change: AlertChange;
}

/**
 * What a change does to each episode. A comment that says what the newest change says, word for word and by
 * the same person, changes nothing: a bulk change that was cut off can be repeated.
 */
export async function judge(
  sql: postgres.ISql,
  episodes: readonly EpisodeRow[],
  change: Change,
): Promise<readonly Judged[]> {
  if (episodes.length === 0) return [];
  const said =
    change.action.action === "comment"
      ? await findLastChanges(
          sql,
          episodes.map(({ alert_id }) => alert_id),
        )
      : undefined;
  return episodes.map((episode) => {
    const isSaid = isRepetition(said?.get(episode.alert_id), change);
    return {
      episode,
      decision: isSaid ? { kind: "unchanged" } : decide(toLifeCycle(episode), change.action),
    };
  });
}

function isRepetition(last: AlertChange | undefined, { by, reason }: Change): boolean {
  if (last?.action !== "comment") return false;
  return last.reason === reason && last.changed_by.type === by.type && last.changed_by.id === by.id;
}

/**
 * Writes what was judged to change: the episodes, their history, their events. Two statements, however
 * many. The caller holds the locks of the episodes' groups.
 */
export async function apply(
  sql: postgres.TransactionSql,
  judged: readonly Judged[],
  { action, by, reason = null }: Omit<Change, "reason"> & { readonly reason?: string | null },
): Promise<readonly Applied[]> {
  const changing = judged.flatMap(({ episode, decision }) =>
    decision.kind === "changed" ? [{ episode, after: decision.after }] : [],
  );
  if (changing.length === 0) return [];
  const written = await writeEpisodes(sql, changing, action.action);
  const changes = await writeChanges(
    sql,
    changing.map(({ episode, after }, index) => ({
      alertId: episode.alert_id,
      revision: episode.revision + 1,
      action: action.action,
      changedAt: written[index]?.changed_ms ?? 0,
      by,
      reason,
      ...changedParts(toLifeCycle(episode), after),
    })),
  );
  return written.flatMap((episode, index) => {
    const change = changes[index];
    return change ? [{ episode, change }] : [];
  });
}

type Written = EpisodeRow & { readonly changed_ms: number };

/**
 * Answers the episodes as written, in the given order. A comment is not work: it must not decide whose state
 * survives a merge, nor hide that evidence came after a resolution.
 */
async function writeEpisodes(
  sql: postgres.TransactionSql,
  changing: readonly { readonly episode: EpisodeRow; readonly after: LifeCycle }[],
  action: ActionName,
): Promise<readonly Written[]> {
  const rows = changing.map(({ episode, after }) => ({ id: episode.alert_id, ...after }));
  const written = await sql<Written[]>`
    with clock as materialized (select date_trunc('milliseconds', clock_timestamp()) as now)
    update episodes as episode set status = wanted.status, disposition = wanted.disposition,
      assignee = wanted.assignee, revision = episode.revision + 1,
      snoozed_until = timestamptz 'epoch' + "snoozedUntil" * interval '1 millisecond',
      worked_at = case when ${action === "comment"} then worked_at else clock.now end, changed_by = pg_current_xact_id()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as wanted (
        id uuid, status text, disposition text, assignee text, "snoozedUntil" bigint), clock
    where episode_id = wanted.id and merged_into is null
    returning ${episodeColumns(sql)}, round(extract(epoch from clock.now) * 1000)::float8 as changed_ms`;
  const byId = new Map(written.map((row) => [row.alert_id, row]));
  return rows.map(({ id }) => {
    const row = byId.get(id);
    if (!row) throw new Error(`Episode ${id} went away under its group's lock.`);
    return row;
  });
}
