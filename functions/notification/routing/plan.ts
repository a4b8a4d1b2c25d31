import { deriveUuid } from "../../../events/identity.ts";
import type { AlertSummary } from "../alert-view.ts";
import type { Occasion } from "../store/tell.ts";
import { decide, type Decision, type Member } from "./groups.ts";
import { type Hold, holdOf } from "./hold.ts";
import { fieldOf, type Route, type Routes } from "./routes.ts";
import { leafOf, pathsOf, type RoutePath } from "./tree.ts";

/** What a route makes of an alert. */
export interface Plan {
  readonly path: RoutePath;
  readonly route: Route;
  readonly group: GroupKey;
  readonly member: Member;
  readonly hold?: Hold | undefined;
  /** Of a group that holds this alert alone. A group of a route that groups may decide otherwise. */
  readonly decision: Decision;
}

/** Which alerts of a route are told together. */
export interface GroupKey {
  readonly id: string;
  /** By label; for a route that tells each alert alone, its id. */
  readonly values: Readonly<Record<string, string>>;
}

export interface PlanContext {
  /** Epoch milliseconds. */
  readonly now: number;
  /** The silence or inhibition that mutes an alert. */
  readonly mutingOf: (alert: AlertSummary) => string | undefined;
}

/** What every route that an alert takes makes of it; never empty. */
export function planOccasion(
  routes: Routes,
  { kind, alert }: Occasion,
  { now, mutingOf }: PlanContext,
): readonly Plan[] {
  return pathsOf(routes.root, alert, now).map((path) => {
    const route = leafOf(path);
    const hold = holdOf(route, routes.muteTimes, now);
    const member = newMember({ kind, alert }, { now, mutingOf });
    const decision = decide(route, { members: [member] }, { now, hold });
    return { path, route, group: groupOf(route, alert), member, hold, decision };
  });
}

/** Whether a route's first message of an alert needs no other alert: it is written with the alert itself. */
export function isDirect({ groupBy }: Route): boolean {
  return groupBy === "alone";
}

function newMember({ kind, alert }: Occasion, { now, mutingOf }: PlanContext): Member {
  return {
    ...standingOf(alert, mutingOf),
    kind,
    addedAt: now,
    told: false,
    held: false,
    escalated: 0,
  };
}

/** What of a member its alert decides, as it is now. */
export function standingOf(alert: AlertSummary, mutingOf: PlanContext["mutingOf"]) {
  return {
    id: alert.alert_id,
    status: alert.status,
    severity: alert.severity,
    snoozedUntil: alert.snoozed_until === null ? undefined : Date.parse(alert.snoozed_until),
    mutedBy: mutingOf(alert),
  };
}

/** The group of a route that an alert belongs to. */
export function groupOf(route: Route, alert: AlertSummary): GroupKey {
  const values =
    route.groupBy === "alone"
      ? { alert_id: alert.alert_id }
      : Object.fromEntries(route.groupBy.toSorted().map((field) => [field, fieldOf(alert, field)]));
  const parts = Object.entries(values).flat();
  return { id: deriveUuid("notification-group", route.name, ...parts), values };
}
