import type postgres from "postgres";

import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import type { AlertSummary } from "../alert-view.ts";
import { type SummaryRow, summaryColumns, toSummary } from "../store/list/summary.ts";

/** A group that is due; the transaction holds its lock. Times in epoch milliseconds. */
export interface DueGroup {
  readonly group_id: string;
  readonly opened: string;
  readonly route: string;
  readonly group_values: Readonly<Record<string, string>>;
  readonly not_before: number | null;
  readonly last_told_at: number | null;
  readonly sequence: number;
}

/** A row of a group, and the alert that it stands for now; no alert when it is no longer kept. */
export interface StoredMember {
  readonly group_id: string;
  readonly alert_id: string;
  readonly kind: "raised" | "reopened";
  readonly added_at: number;
  readonly told_sequence: number | null;
  readonly held: boolean;
  readonly escalated: number;
  readonly alert: AlertSummary | undefined;
}

export interface Wanted {
  /** The routes this process knows. */
  readonly routes: readonly string[];
  readonly limit: number;
}

const columns = `group_id, opened::text as opened, route, group_values, sequence::float8 as sequence,
  round(extract(epoch from not_before) * 1000)::float8 as not_before,
  round(extract(epoch from last_told_at) * 1000)::float8 as last_told_at`;

/** Locks groups that are due and nobody else holds. */
export async function claimGroups(
  sql: postgres.ISql,
  { routes, limit }: Wanted,
): Promise<readonly DueGroup[]> {
  return await sql<DueGroup[]>`
    select ${sql.unsafe(columns)} from notification_groups
    where due_at <= now() and route = any (${arrayLiteral(routes)}::text[])
    order by due_at limit ${limit} for update skip locked`;
}

/**
 * Locks a group of a route that this process does not know and that is overdue: no other process, with
 * another version of the routes, has looked at it.
 */
export async function claimStray(
  sql: postgres.ISql,
  { routes, graceMs }: { readonly routes: readonly string[]; readonly graceMs: number },
): Promise<DueGroup | undefined> {
  const [group] = await sql<DueGroup[]>`
    select ${sql.unsafe(columns)} from notification_groups
    where due_at <= now() - ${graceMs}::float8 * interval '1 millisecond'
      and not route = any (${arrayLiteral(routes)}::text[])
    order by due_at limit 1 for update skip locked`;
  return group;
}

/**
 * Milliseconds until a group is due; `undefined` when there is none. Those of unknown routes have to wait, and
 * are looked for only among what is due by now: else each look would read all groups that are planned to find
 * that all their routes are known.
 */
export async function readNextDue(
  sql: postgres.ISql,
  { routes, graceMs }: { readonly routes: readonly string[]; readonly graceMs: number },
): Promise<number | undefined> {
  const [row] = await sql<{ ms: number | null }[]>`
    select extract(epoch from least(
      (select due_at from notification_groups where route = any (${arrayLiteral(routes)}::text[])
        order by due_at limit 1),
      (select due_at + ${graceMs}::float8 * interval '1 millisecond' from notification_groups
        where due_at <= now() and not route = any (${arrayLiteral(routes)}::text[]) order by due_at limit 1)
    ) - clock_timestamp())::float8 * 1000 as ms`;
  return row?.ms === null || row === undefined ? undefined : Math.max(0, row.ms);
}

type MemberRow = Omit<StoredMember, "alert" | "alert_id"> & { readonly added_as: string } & (
    | SummaryRow
    | { readonly [Name in keyof SummaryRow]: null }
  );

/** Rows of a group that one look reads, those first that people were not told of. */
export const maxMembers = 5000;

/**
 * The members of groups and what became of their alerts, in one statement. An alert that became part of
 * another one stands for that one: signposts are followed to their end. How many rows a recursion has
 * nobody can estimate: `offset 0` keeps the look-ups single ones, where a join would read all episodes.
 */
export async function readMembers(
  sql: postgres.ISql,
  groupIds: readonly string[],
): Promise<readonly StoredMember[]> {
  const rows = await sql<MemberRow[]>`
    with recursive member as (
      select member.* from unnest(${arrayLiteral(groupIds)}::uuid[]) as wanted (group_id),
        lateral (
          select * from notification_group_members as member where member.group_id = wanted.group_id
          order by told_sequence nulls first, added_at, alert_id limit ${maxMembers}) as member
    ), followed as (
      select alert_id as member_id, alert_id as episode_id from member
      union
      select followed.member_id, signpost.merged_into
      from followed, lateral (
        select merged_into from episodes
        where episode_id = followed.episode_id and merged_into is not null offset 0) as signpost
    ), standing as (
      select followed.member_id, episode.*
      from followed, lateral (
        select ${summaryColumns(sql)} from episodes as episode
        where episode.episode_id = followed.episode_id and episode.merged_into is null offset 0) as episode
    )
    select member.group_id, member.alert_id as added_as, member.kind,
      round(extract(epoch from member.added_at) * 1000)::float8 as added_at,
      member.told_sequence::float8 as told_sequence, member.held, member.escalated, standing.*
    from member left join standing on standing.member_id = member.alert_id`;
  return rows.map(toMember);
}

function toMember(row: MemberRow): StoredMember {
  return {
    group_id: row.group_id,
    alert_id: row.added_as,
    kind: row.kind,
    added_at: row.added_at,
    told_sequence: row.told_sequence,
    held: row.held,
    escalated: row.escalated,
    alert: row.alert_id === null ? undefined : toSummary(row),
  };
}

/**
 * The first of some groups that together have no more rows than one look reads; at least one. Alerts come in
 * storms, and twenty groups of thousands were more than one statement may take.
 */
export async function takeReadable(
  sql: postgres.ISql,
  groups: readonly DueGroup[],
): Promise<readonly DueGroup[]> {
  const ids = groups.map(({ group_id }) => group_id);
  const rows = await sql<{ group_id: string; size: number }[]>`
    select wanted.group_id, size from unnest(${arrayLiteral(ids)}::uuid[]) as wanted (group_id),
      lateral (
        select count(*)::integer as size from (
          select from notification_group_members as member where member.group_id = wanted.group_id
          limit ${maxMembers}) as counted) as sizes`;
  const sizeOf = new Map(rows.map(({ group_id, size }) => [group_id, size]));
  let total = 0;
  return groups.filter(({ group_id }, index) => {
    total += sizeOf.get(group_id) ?? 0;
    return index === 0 || total <= maxMembers;
  });
}
