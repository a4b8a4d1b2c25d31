import type { Disposition, Status } from "../alert-view.ts";
import { type Action, type ActionName, actionNames } from "./action.ts";

/** The part of an alert people change; the snooze is an overlay in epoch milliseconds, not a status. */
export interface LifeCycle {
  readonly status: Status;
  readonly disposition: Disposition | null;
  readonly assignee: string | null;
  readonly snoozedUntil: number | null;
}

export type Decision =
  | { readonly kind: "changed"; readonly after: LifeCycle }
  /** The alert is as the action wants it already. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly allowed: readonly ActionName[] };

/**
 * Every transition: per action, the status an alert has after it by the status it had. What is not here is
 * not allowed. Nothing leads to `in_progress` yet; alerts that came with it can leave it.
 */
const transitions: Readonly<Record<ActionName, Readonly<Partial<Record<Status, Status>>>>> = {
  acknowledge: { open: "acknowledged", acknowledged: "acknowledged", in_progress: "in_progress" },
  unacknowledge: { open: "open", acknowledged: "open", in_progress: "open" },
  assign: { open: "open", acknowledged: "acknowledged", in_progress: "in_progress" },
  snooze: { open: "open", acknowledged: "acknowledged", in_progress: "in_progress" },
  unsnooze: { open: "open", acknowledged: "acknowledged", in_progress: "in_progress" },
  resolve: { open: "resolved", acknowledged: "resolved", in_progress: "resolved", resolved: "resolved" },
  reopen: { open: "open", resolved: "open" },
  comment: {
    open: "open",
    acknowledged: "acknowledged",
    in_progress: "in_progress",
    resolved: "resolved",
    suppressed: "suppressed",
  },
};

/** Actions that leave the status as it is and can still change something. */
const overlays: ReadonlySet<ActionName> = new Set(["assign", "snooze", "unsnooze", "comment"]);

/** The actions that can change something about an alert of this status. */
export function allowedActions(status: Status): readonly ActionName[] {
  return actionNames.filter((name) => {
    const next = transitions[name][status];
    return next !== undefined && (next !== status || overlays.has(name));
  });
}

/**
 * What an action does to an alert. A comment always counts as a change. Resolving a resolved alert with
 * another disposition is refused, because the first one may have been told to others: reopen it first.
 */
export function decide(before: LifeCycle, action: Action): Decision {
  const status = transitions[action.action][before.status];
  const isOther =
    action.action === "resolve" && before.status === "resolved" && before.disposition !== action.disposition;
  if (status === undefined || isOther) {
    return { kind: "refused", allowed: allowedActions(before.status) };
  }
  const after: LifeCycle = { ...before, ...fieldsOf(action), status };
  if (action.action !== "comment" && differences(before, after).length === 0) return { kind: "unchanged" };
  return { kind: "changed", after };
}

/** What an action sets besides the status. */
function fieldsOf(action: Action): Partial<LifeCycle> {
  switch (action.action) {
    case "assign":
      return { assignee: action.assignee };
    case "snooze":
      return { snoozedUntil: action.until };
    case "unsnooze":
      return { snoozedUntil: null };
    case "resolve":
      return { disposition: action.disposition, snoozedUntil: null };
    case "reopen":
      return { disposition: null };
    case "acknowledge":
    case "unacknowledge":
    case "comment":
      return {};
    default:
      return action satisfies never;
  }
}

const fields = ["status", "disposition", "assignee", "snoozedUntil"] as const;

function differences(before: LifeCycle, after: LifeCycle): readonly (typeof fields)[number][] {
  return fields.filter((name) => before[name] !== after[name]);
}

/** The wire's words for some members of a life cycle. */
export type LifeCyclePart = Readonly<Record<string, string | null>>;

/** Before and after of what a change touched, as history and events tell it: times RFC 3339. */
export function changedParts(
  before: LifeCycle,
  after: LifeCycle,
): { readonly before: LifeCyclePart; readonly after: LifeCyclePart } {
  const names = differences(before, after);
  const part = (state: LifeCycle): LifeCyclePart =>
    Object.fromEntries(
      names.map((name) =>
        name === "snoozedUntil"
          ? ["snoozed_until", state.snoozedUntil === null ? null : new Date(state.snoozedUntil).toISOString()]
          : [name, state[name]],
      ),
    );
  return { before: part(before), after: part(after) };
}
