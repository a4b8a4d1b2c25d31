import type postgres from "postgres";

import { toInstant } from "../../../events/time.ts";
import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import type { AlertChange } from "../alert-view.ts";
import { episodeColumns, type EpisodeRow } from "./episode-row.ts";

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** The groups of alerts; an alert never changes its group. Unknown ids are left out. */
export async function findGroups(
  sql: postgres.ISql,
  alertIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await sql<{ group_id: string }[]>`
    select distinct group_id from alerts where alert_id = any(${arrayLiteral(alertIds)}::uuid[])`;
  return rows.map(({ group_id }) => group_id);
}

/**
 * The episodes that alerts belong to by now, each once, in the order of the given ids. With a condition,
 * about the alias `episode`, only those that meet it.
 */
export async function findEpisodes(
  sql: postgres.ISql,
  alertIds: readonly string[],
  condition: Fragment = sql`true`,
): Promise<readonly EpisodeRow[]> {
  return await sql<EpisodeRow[]>`
    select ${episodeColumns(sql)}
    from (
      select distinct on (episode_id) episode.*, place
      from unnest(${arrayLiteral(alertIds)}::uuid[]) with ordinality as asked (id, place)
      join alerts on alert_id = asked.id
      join episodes as episode on episode.group_id = alerts.group_id and merged_into is null
        and episode.first_seen <= alerts.first_seen and episode.last_seen >= alerts.first_seen
      where ${condition}
      order by episode_id, place
    ) as episode
    order by place`;
}

interface LastRow extends Omit<AlertChange, "changed_at"> {
  readonly episode_id: string;
  readonly changed_ms: number;
}

/** The newest change of each episode that has one, by episode; it may have been made under an absorbed id. */
export async function findLastChanges(
  sql: postgres.ISql,
  episodeIds: readonly string[],
): Promise<ReadonlyMap<string, AlertChange>> {
  const rows = await sql<LastRow[]>`
    select episode_id, last.*
    from episodes as episode
    cross join lateral (
      select change_id, alert_id, revision::float8 as revision, action,
        jsonb_build_object('type', actor_type, 'id', actor_id) as changed_by, reason, before, after,
        round(extract(epoch from changed_at) * 1000)::float8 as changed_ms
      from (
        select * from alert_changes
        where changed_at >= coalesce(worked_at, '-infinity') and alert_id = any(array(
          select alert_id from alerts where alerts.group_id = episode.group_id
            and alerts.first_seen between episode.first_seen and episode.last_seen))
        -- Else the newest changes of all alerts may be walked through until one of these is met.
        offset 0
      ) as theirs
      order by changed_at desc, theirs.revision desc limit 1
    ) as last
    where episode_id = any(${arrayLiteral(episodeIds)}::uuid[])`;
  return new Map(
    rows.map(({ episode_id, changed_ms, ...row }) => [
      episode_id,
      { ...row, changed_at: toInstant(changed_ms) },
    ]),
  );
}
