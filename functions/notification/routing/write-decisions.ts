import type postgres from "postgres";

import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import type { Decision } from "./groups.ts";
import type { LoadedGroup } from "./members.ts";
import { maxMembers } from "./read-groups.ts";

/** What was decided about a group at a time (epoch milliseconds). */
export interface Decided {
  readonly loaded: LoadedGroup;
  readonly decision: Decision;
  readonly sequence: number;
  readonly dueAt: number | undefined;
}

/**
 * When to look again. Of a group with more rows than one look reads, the rest is looked at next: at once
 * when this look made room, so that it ends.
 */
export function dueAgain(
  { rows }: LoadedGroup,
  { dueAt, messages }: Decision,
  now: number,
): number | undefined {
  if (rows.length < maxMembers) return dueAt;
  return messages.length > 0 ? now : Math.min(dueAt ?? Infinity, now + 60_000);
}

/** Writes down what is left of groups, in four statements at most. The caller holds their locks. */
export async function writeDecisions(sql: postgres.ISql, decided: readonly Decided[]): Promise<void> {
  const left = decided.filter(({ dueAt }) => dueAt !== undefined);
  const closed = decided.filter(({ dueAt }) => dueAt === undefined);
  if (left.length > 0) {
    await updateGroups(sql, left);
    await updateMembers(sql, left);
    await deleteMembers(sql, left);
  }
  if (closed.length > 0) {
    await sql`
      delete from notification_groups
      where group_id = any (${arrayLiteral(closed.map(({ loaded }) => loaded.group.group_id))}::uuid[])`;
  }
}

const instant = (column: string) => `timestamptz 'epoch' + ${column} * interval '1 millisecond'`;

async function updateGroups(sql: postgres.ISql, left: readonly Decided[]): Promise<void> {
  const rows = left.map(({ loaded, decision, sequence, dueAt }) => ({
    group_id: loaded.group.group_id,
    due_at: dueAt,
    not_before: decision.notBefore ?? null,
    last_told_at: decision.lastToldAt ?? null,
    sequence,
  }));
  await sql`
    update notification_groups as known set sequence = decided.sequence,
      due_at = ${sql.unsafe(instant("decided.due_at"))},
      not_before = ${sql.unsafe(instant("decided.not_before"))},
      last_told_at = ${sql.unsafe(instant("decided.last_told_at"))}
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as decided (
      group_id uuid, due_at bigint, not_before bigint, last_told_at bigint, sequence bigint)
    where known.group_id = decided.group_id`;
}

async function updateMembers(sql: postgres.ISql, left: readonly Decided[]): Promise<void> {
  const rows = left.flatMap(({ loaded, decision, sequence }) =>
    decision.members.flatMap(({ id, told, held, escalated }) =>
      (loaded.rowsOf.get(id) ?? []).flatMap((row) => {
        const isSame =
          (row.told_sequence !== null) === told && row.held === held && row.escalated === escalated;
        const told_sequence = told ? (row.told_sequence ?? sequence) : null;
        return isSame
          ? []
          : [{ group_id: row.group_id, alert_id: row.alert_id, told_sequence, held, escalated }];
      }),
    ),
  );
  if (rows.length === 0) return;
  await sql`
    update notification_group_members as known set told_sequence = decided.told_sequence,
      held = decided.held, escalated = decided.escalated
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as decided (
      group_id uuid, alert_id uuid, told_sequence bigint, held boolean, escalated smallint)
    where known.group_id = decided.group_id and known.alert_id = decided.alert_id`;
}

async function deleteMembers(sql: postgres.ISql, left: readonly Decided[]): Promise<void> {
  const rows = left.flatMap(({ loaded, decision }) => {
    const kept = new Set(decision.members.map(({ id }) => id));
    return loaded.rows
      .filter(({ alert }) => !alert || !kept.has(alert.alert_id))
      .map(({ group_id, alert_id }) => ({ group_id, alert_id }));
  });
  if (rows.length === 0) return;
  await sql`
    delete from notification_group_members as known
    using jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as done (group_id uuid, alert_id uuid)
    where known.group_id = done.group_id and known.alert_id = done.alert_id`;
}
