import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";
import { changedParts } from "../life-cycle/transitions.ts";
import { instant, milliseconds } from "../../../runtime/ledger/sql.ts";
import { alertsChannel, writeChanges } from "../life-cycle/write-changes.ts";
import type { AlertSpan, Join } from "./episodes.ts";
import type { LivedEpisode, Onward } from "./life.ts";
import { rowsFrom, toParameters } from "./rows.ts";
import { type SummaryRow, summaryColumns, toSummary } from "./list/summary.ts";

/** A stored episode, and when the alert it is named after was received, which says where its row lies. */
export interface StoredEpisode extends LivedEpisode {
  /** Epoch microseconds. */
  readonly received: number;
}

interface StoredRow extends Omit<StoredEpisode, "life"> {
  readonly status: LivedEpisode["life"]["status"];
  readonly disposition: LivedEpisode["life"]["disposition"];
  readonly assignee: string | null;
  readonly snoozedUntil: number | null;
  readonly workedAt: number | null;
  readonly revision: number;
}

const spanTypes = { groupId: "uuid", firstSeen: "bigint", lastSeen: "bigint" } as const;

/**
 * Each span is looked up by itself and in the order of the index of groups. While tables are too new to have
 * statistics every index looks alike, and the plan is kept: without that order it may walk another one whole.
 */
const touchedText = `
select distinct episode.*
from ${rowsFrom(spanTypes, "span")}, lateral (
  select episode_id as id, group_id as "groupId", count::float8 as count,
    ${milliseconds("timestamp")} as timestamp, ${milliseconds("first_seen")} as "firstSeen",
    ${milliseconds("last_seen")} as "lastSeen",
    round(extract(epoch from received_at) * 1000000)::float8 as received,
    status, disposition, assignee, revision::float8 as revision,
    ${milliseconds("snoozed_until")} as "snoozedUntil", ${milliseconds("worked_at")} as "workedAt"
  from episodes
  where merged_into is null and group_id = span."groupId"
    and last_seen >= ${instant('span."firstSeen"')} and first_seen <= ${instant('span."lastSeen"')}
  order by group_id, last_seen
) as episode`;

/** The stored episodes that the given alerts touch. The caller holds the locks of their groups. */
export async function readTouchedEpisodes(
  sql: postgres.TransactionSql,
  alerts: readonly AlertSpan[],
): Promise<readonly StoredEpisode[]> {
  const spans = alerts.map(({ groupId, firstSeen, lastSeen }) => ({ groupId, firstSeen, lastSeen }));
  const rows = await sql.unsafe<StoredRow[]>(touchedText, toParameters(spanTypes, spans), { prepare: true });
  return rows.map(({ status, disposition, assignee, snoozedUntil, workedAt, revision, ...episode }) => ({
    ...episode,
    life: { status, disposition, assignee, snoozedUntil, workedAt, revision },
  }));
}

/** A join, the life it goes on with, and when the alert it is named after was received. */
export interface EpisodeChange extends Join, Onward {
  /** Epoch microseconds. */
  readonly received: number;
  /** Whether people are to be told of it, so that it is answered as it was written. */
  readonly isTold: boolean;
}

/**
 * Writes episodes that changed; those absorbed under another id become signposts to it, and those opened
 * again get their change and its event. Whoever follows alerts is woken at the commit. Answers those that
 * people are to be told of, by id.
 */
export async function writeEpisodes(
  sql: postgres.TransactionSql,
  changes: readonly EpisodeChange[],
): Promise<ReadonlyMap<string, AlertSummary>> {
  if (changes.length === 0) return new Map();
  const signposts = changes.flatMap(({ episode, absorbed }) =>
    absorbed.filter((id) => id !== episode.id).map((id) => ({ id, into: episode.id })),
  );
  const written = await upsertEpisodes(sql, changes);
  if (signposts.length > 0) await writeSignposts(sql, signposts);
  await writeChanges(
    sql,
    changes.flatMap(({ episode, life, reopened }) => {
      if (!reopened || life.workedAt === null) return [];
      const change = { alertId: episode.id, revision: life.revision, changedAt: life.workedAt };
      return [{ ...change, ...reopening, ...changedParts(reopened, life) }];
    }),
  );
  return new Map(written.map((summary) => [summary.alert_id, summary]));
}

const reopening = {
  action: "reopen",
  by: { type: "system", id: "evidence" },
  reason: "New evidence of a time after it was resolved.",
} as const;

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

/** What changes of an episode that is there already, besides the copies. */
const changing = [
  "count",
  "timestamp",
  "first_seen",
  "last_seen",
  "tags",
  "environment",
  "status",
  "disposition",
  "assignee",
  "snoozed_until",
  "worked_at",
] as const;

/**
 * A signpost whose episode retention forgot may become an episode again. Its changes are still known, and
 * numbers of theirs, which name events, must not be given twice.
 */
const assignments = [...changing, ...copies]
  .map((name) => `${name} = excluded.${name}`)
  .concat("revision = greatest(excluded.revision, episodes.revision)")
  .join(", ");

async function upsertEpisodes(
  sql: postgres.TransactionSql,
  changes: readonly EpisodeChange[],
): Promise<readonly AlertSummary[]> {
  const rows = changes.map(({ episode, life, received, isTold }) => ({
    ...episode,
    ...life,
    received,
    isTold,
  }));
  const written = await sql<(SummaryRow | { readonly alert_id: null })[]>`
    with given as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as given (
        id uuid, "groupId" uuid, count bigint, timestamp bigint, "firstSeen" bigint, "lastSeen" bigint,
        received bigint, status text, disposition text, assignee text, "snoozedUntil" bigint,
        revision bigint, "workedAt" bigint, "isTold" boolean)
    ), written as (
      insert into episodes (episode_id, received_at, group_id, count, timestamp, first_seen, last_seen,
        status, disposition, assignee, snoozed_until, revision, worked_at, tags, environment,
        ${sql.unsafe(copies.join(", "))})
      select id, received_at, "groupId", count,
        timestamptz 'epoch' + given.timestamp * interval '1 millisecond',
        timestamptz 'epoch' + "firstSeen" * interval '1 millisecond',
        timestamptz 'epoch' + "lastSeen" * interval '1 millisecond',
        status, disposition, assignee, timestamptz 'epoch' + "snoozedUntil" * interval '1 millisecond',
        revision, timestamptz 'epoch' + "workedAt" * interval '1 millisecond',
        case jsonb_typeof(metadata -> 'tags')
          when 'array' then array(select jsonb_array_elements_text(metadata -> 'tags')) else '{}'
        end,
        metadata ->> 'environment', ${sql.unsafe(copies.join(", "))}
      from given join alerts on alert_id = id
        and received_at = timestamptz 'epoch' + received * interval '1 microsecond'
      on conflict (episode_id, received_at) do update set ${sql.unsafe(assignments)}, merged_into = null,
        changed_by = pg_current_xact_id()
      returning *
    ), told as (
      select ${summaryColumns(sql)}
      from written as episode join given on id = episode_id and "isTold"
    ), woken as materialized (
      select pg_notify(${alertsChannel}, '')
    )
    select told.* from woken left join told on true`;
  return written.flatMap((row) => (row.alert_id === null ? [] : [toSummary(row)]));
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
