import type postgres from "postgres";

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** The newest alerts that meet a condition on the alias `episode`, at most `limit`, by id. */
export async function selectAlerts(
  sql: postgres.ISql,
  condition: Fragment,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql<{ episode_id: string }[]>`
    select episode_id from episodes as episode
    where merged_into is null and ${condition}
    order by last_seen desc, episode_id desc limit ${limit}`;
  return rows.map(({ episode_id }) => episode_id);
}
