import type postgres from "postgres";

import { arrayLiteral } from "../../../runtime/postgres/array.ts";
import { isNeeded } from "./due.ts";
import type { Member } from "./groups.ts";
import { loadGroup } from "./members.ts";
import { groupOf } from "./plan.ts";
import { type DueGroup, readMembers } from "./read-groups.ts";
import type { Routes } from "./routes.ts";
import { memberRow, readClock } from "./tell.ts";
import { leafOf, pathsOf } from "./tree.ts";
import { writeGroups } from "./write-groups.ts";

/**
 * Gives groups to whoever moves groups: moving waits for the locks of others, and has to hold no more than
 * one itself.
 */
export async function markStray(sql: postgres.TransactionSql, groupIds: readonly string[]): Promise<void> {
  if (groupIds.length === 0) return;
  await sql`update notification_groups set route = '', due_at = timestamptz 'epoch'
    where group_id = any (${arrayLiteral(groupIds)}::uuid[])`;
}

/**
 * Moves the alerts of a group whose route is gone to the routes they take now, with what people know of
 * them, and closes the group, unless that is where one of them belongs after all. What people were not told of is told there, at the root if nowhere else.
 */
export async function moveGroup(
  sql: postgres.TransactionSql,
  group: DueGroup,
  routes: Routes,
): Promise<void> {
  const now = await readClock(sql);
  const rows = await readMembers(sql, [group.group_id]);
  const { state, alerts } = loadGroup(group, rows, () => undefined);
  const moved = state.members.flatMap((member) => {
    const alert = alerts.get(member.id);
    return alert ? destinationsOf(member, { alert, routes, now }) : [];
  });
  await writeGroups(
    sql,
    moved.map(({ group: { id, values }, route, member }) => ({
      group_id: id,
      route: route.name,
      group_values: values,
      due_at: now,
      last_told_at: member.told ? (group.last_told_at ?? now) : null,
    })),
    moved.map(({ group, member }) => ({ group_id: group.id, ...memberRow(member) })),
  );
  const staying = moved.filter((one) => one.group.id === group.group_id);
  const [home] = staying;
  if (home) {
    await sql`update notification_groups set route = ${home.route.name} where group_id = ${group.group_id}`;
  }
  const stayingIds = new Set(staying.map(({ member }) => member.id));
  const leaving = rows.map(({ alert_id }) => alert_id).filter((id) => !stayingIds.has(id));
  if (leaving.length > 0) {
    await sql`delete from notification_group_members
      where group_id = ${group.group_id} and alert_id = any (${arrayLiteral(leaving)}::uuid[])`;
  }
  // More rows than one look reads are moved by the next one.
  await sql`delete from notification_groups where group_id = ${group.group_id}
    and not exists (select from notification_group_members where group_id = ${group.group_id})`;
}

interface Moving {
  readonly alert: Parameters<typeof groupOf>[1];
  readonly routes: Routes;
  readonly now: number;
}

function destinationsOf(member: Member, { alert, routes, now }: Moving) {
  return pathsOf(routes.root, alert, now).flatMap((path) => {
    const route = leafOf(path);
    const escalated = Math.min(member.escalated, route.escalate.length);
    const moved = { ...member, escalated };
    return isNeeded(route, moved) ? [{ route, group: groupOf(route, alert), member: moved }] : [];
  });
}
