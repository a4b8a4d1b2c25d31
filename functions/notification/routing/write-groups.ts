import type postgres from "postgres";

import { toStoredJson } from "../store/stored-text.ts";

/** A group that an alert is added to. Times in epoch milliseconds. */
export interface NewGroup {
  readonly group_id: string;
  readonly route: string;
  readonly group_values: Readonly<Record<string, string>>;
  /** When it is looked at, if it is new or would be looked at later. */
  readonly due_at: number;
  readonly last_told_at: number | null;
}

export interface NewMember {
  readonly group_id: string;
  readonly alert_id: string;
  readonly kind: "raised" | "reopened";
  readonly added_at: number;
  readonly told_sequence: number | null;
  readonly held: boolean;
  readonly escalated: number;
}

/** Epoch milliseconds to `timestamptz`. */
const instant = (column: string) => `timestamptz 'epoch' + ${column} * interval '1 millisecond'`;

/**
 * Adds alerts to groups, in two statements. Groups are locked in one order everywhere; one that exists is
 * looked at earlier if need be, but not before its route's interval is over. A member that is there already
 * stays as it is unless its alert was reopened, which begins anew.
 */
export async function writeGroups(
  sql: postgres.ISql,
  groups: readonly NewGroup[],
  members: readonly NewMember[],
): Promise<void> {
  if (groups.length === 0) return;
  const sorted = merged(groups).toSorted((a, b) => (a.group_id < b.group_id ? -1 : 1));
  await sql`
    insert into notification_groups as known (group_id, route, group_values, due_at, last_told_at)
    select group_id, route, group_values, ${sql.unsafe(instant("due_at"))}, ${sql.unsafe(instant("last_told_at"))}
    from jsonb_to_recordset(${toStoredJson(sorted)}::text::jsonb) as added (
      group_id uuid, route text, group_values jsonb, due_at bigint, last_told_at bigint)
    on conflict (group_id) do update set
      due_at = least(known.due_at, case
        when excluded.due_at <= clock_timestamp() then excluded.due_at
        else greatest(excluded.due_at, known.not_before) end),
      last_told_at = greatest(excluded.last_told_at, known.last_told_at)`;
  await sql`
    insert into notification_group_members as known (
      group_id, alert_id, kind, added_at, told_sequence, held, escalated)
    select distinct on (group_id, alert_id) group_id, alert_id, kind, ${sql.unsafe(instant("added_at"))},
      told_sequence, held, escalated
    from jsonb_to_recordset(${JSON.stringify(members)}::text::jsonb) as added (
      group_id uuid, alert_id uuid, kind text, added_at bigint, told_sequence bigint, held boolean,
      escalated smallint)
    order by group_id, alert_id, kind desc
    on conflict (group_id, alert_id) do update set kind = excluded.kind, added_at = excluded.added_at,
      told_sequence = excluded.told_sequence, held = excluded.held, escalated = excluded.escalated
    where excluded.kind = 'reopened'`;
}

/** A statement may touch a row only once: the earliest look, the latest telling. */
function merged(groups: readonly NewGroup[]): readonly NewGroup[] {
  const byId = new Map<string, NewGroup>();
  for (const group of groups) {
    const known = byId.get(group.group_id);
    if (!known) byId.set(group.group_id, group);
    else {
      const told = Math.max(known.last_told_at ?? 0, group.last_told_at ?? 0);
      const dueAt = Math.min(known.due_at, group.due_at);
      byId.set(group.group_id, { ...known, due_at: dueAt, last_told_at: told === 0 ? null : told });
    }
  }
  return [...byId.values()];
}
