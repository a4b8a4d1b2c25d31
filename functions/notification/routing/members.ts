import type { AlertSummary } from "../alert-view.ts";
import type { GroupState, Member } from "./groups.ts";
import { type PlanContext, standingOf } from "./plan.ts";
import type { DueGroup, StoredMember } from "./read-groups.ts";

/** A group as it is decided about, and which rows each of its members stands for. */
export interface LoadedGroup {
  readonly group: DueGroup;
  readonly state: GroupState;
  readonly rows: readonly StoredMember[];
  /** By the id of the member, that of the alert as it is now. */
  readonly rowsOf: ReadonlyMap<string, readonly StoredMember[]>;
  readonly alerts: ReadonlyMap<string, AlertSummary>;
}

/** Puts the stored rows of a group together; rows whose alert is no longer kept have no member. */
export function loadGroup(
  group: DueGroup,
  rows: readonly StoredMember[],
  mutingOf: PlanContext["mutingOf"],
): LoadedGroup {
  const known = rows.flatMap((row) => (row.alert ? [{ row, alert: row.alert }] : []));
  const alerts = new Map(known.map(({ alert }) => [alert.alert_id, alert]));
  const rowsOf = Map.groupBy(
    rows.filter((row) => row.alert),
    ({ alert }) => alert?.alert_id ?? "",
  );
  const members = [...alerts.values()].map((alert) => ({
    ...standingOf(alert, mutingOf),
    ...progressOf(rowsOf.get(alert.alert_id) ?? []),
  }));
  const state = {
    members,
    notBefore: group.not_before ?? undefined,
    lastToldAt: group.last_told_at ?? undefined,
  };
  return { group, state, rows, rowsOf, alerts };
}

/**
 * What people know of alerts that became one: whoever was told of one of them was told of it. A reopening
 * is news, whatever was told before.
 */
function progressOf(
  rows: readonly StoredMember[],
): Pick<Member, "kind" | "addedAt" | "told" | "held" | "escalated"> {
  const news = rows.filter(({ kind, told_sequence }) => kind === "reopened" && told_sequence === null);
  const counted = news.length > 0 ? news : rows;
  return {
    kind: counted.every(({ kind }) => kind === "reopened") ? "reopened" : "raised",
    addedAt: Math.min(...counted.map(({ added_at }) => added_at)),
    told: news.length === 0 && rows.some(({ told_sequence }) => told_sequence !== null),
    held: counted.some(({ held }) => held),
    escalated: Math.max(...counted.map(({ escalated }) => escalated)),
  };
}
