import type postgres from "postgres";

import type { AlertSpan, Episode, Join } from "./episodes.ts";

/** The stored episodes that the given alerts touch. The caller holds the locks of their groups. */
export async function readTouchedEpisodes(
  sql: postgres.TransactionSql,
  alerts: readonly AlertSpan[],
): Promise<readonly Episode[]> {
  const spans = alerts.map(({ groupId, firstSeen, lastSeen }) => ({ groupId, firstSeen, lastSeen }));
  return await sql<Episode[]>`
    select distinct episode_id as id, group_id as "groupId", count::float8 as count,
      round(extract(epoch from timestamp) * 1000)::float8 as timestamp,
      round(extract(epoch from first_seen) * 1000)::float8 as "firstSeen",
      round(extract(epoch from last_seen) * 1000)::float8 as "lastSeen"
    from jsonb_to_recordset(${JSON.stringify(spans)}::text::jsonb) as span (
      "groupId" uuid, "firstSeen" bigint, "lastSeen" bigint)
    join episodes on merged_into is null and group_id = span."groupId"
      and last_seen >= timestamptz 'epoch' + span."firstSeen" * interval '1 millisecond'
      and first_seen <= timestamptz 'epoch' + span."lastSeen" * interval '1 millisecond'`;
}

interface Context {
  /** The stored episodes before. */
  readonly known: readonly Episode[];
  /** The groups of rules on trial: their episodes begin as suppressed. */
  readonly shadows: ReadonlySet<string>;
}

/** Writes the episodes that changed; those absorbed under another id become signposts to it. */
export async function writeEpisodes(
  sql: postgres.TransactionSql,
  joins: readonly Join[],
  { known, shadows }: Context,
): Promise<void> {
  const before = new Map(known.map((episode) => [episode.id, episode]));
  const changed = joins.filter((join) => hasChanged(join, before.get(join.episode.id)));
  const signposts = changed.flatMap(({ episode, absorbed }) =>
    absorbed.filter((id) => id !== episode.id).map((id) => ({ id, into: episode.id })),
  );
  if (changed.length > 0) await upsertEpisodes(sql, changed, shadows);
  if (signposts.length > 0) await writeSignposts(sql, signposts);
}

function hasChanged({ episode, absorbed }: Join, before: Episode | undefined): boolean {
  if (!before || absorbed.length > 1) return true;
  return (["firstSeen", "lastSeen", "timestamp", "count"] as const).some(
    (key) => episode[key] !== before[key],
  );
}

/** What lists show and filter of the alert an episode is named after. */
const copies = [
  "alert_name",
  "alert_type",
  "severity",
  "description",
  "source_service_name",
  "rule_id",
  "rule_name",
  "rule_version",
  "actor_type",
  "actor_id",
  "client_ip",
  "resource_type",
  "resource_id",
  "server_hostname",
  "action_observed",
  "correlation_id",
  "group_values",
] as const;

async function upsertEpisodes(
  sql: postgres.TransactionSql,
  joins: readonly Join[],
  shadows: ReadonlySet<string>,
): Promise<void> {
  const rows = joins.map(({ episode }) => ({
    ...episode,
    status: shadows.has(episode.groupId) ? "suppressed" : "open",
  }));
  await sql`
    insert into episodes (episode_id, received_at, group_id, status, count, timestamp, first_seen, last_seen,
      tags, environment, ${sql.unsafe(copies.join(", "))})
    select id, received_at, "groupId", status, count,
      timestamptz 'epoch' + episode.timestamp * interval '1 millisecond',
      timestamptz 'epoch' + "firstSeen" * interval '1 millisecond',
      timestamptz 'epoch' + "lastSeen" * interval '1 millisecond',
      case jsonb_typeof(metadata -> 'tags')
        when 'array' then array(select jsonb_array_elements_text(metadata -> 'tags')) else '{}'
      end,
      metadata ->> 'environment', ${sql.unsafe(copies.join(", "))}
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as episode (
      id uuid, "groupId" uuid, status text, count bigint, timestamp bigint, "firstSeen" bigint, "lastSeen" bigint)
    join alerts on alert_id = id
    on conflict (episode_id, received_at) do update set count = excluded.count, timestamp = excluded.timestamp,
      first_seen = excluded.first_seen, last_seen = excluded.last_seen, merged_into = null,
      tags = excluded.tags, environment = excluded.environment,
      ${sql.unsafe(copies.map((name) => `${name} = excluded.${name}`).join(", "))},
      changed_by = pg_current_xact_id()`;
}

async function writeSignposts(
  sql: postgres.TransactionSql,
  signposts: readonly { readonly id: string; readonly into: string }[],
): Promise<void> {
  await sql`
    update episodes set merged_into = signpost."into", changed_by = pg_current_xact_id()
    from jsonb_to_recordset(${JSON.stringify(signposts)}::text::jsonb) as signpost (id uuid, "into" uuid)
    where episode_id = signpost.id`;
}
