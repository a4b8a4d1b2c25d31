import { toColumn } from "../../../runtime/ledger/stored-event.ts";
import type { Disposition } from "../alert-view.ts";

export const actionNames = [
  "acknowledge",
  "unacknowledge",
  "assign",
  "snooze",
  "unsnooze",
  "resolve",
  "reopen",
  "comment",
] as const;
export type ActionName = (typeof actionNames)[number];

/** What somebody wants done with an alert; `until` in epoch milliseconds. */
export type Action =
  | { readonly action: "acknowledge" | "unacknowledge" | "unsnooze" | "reopen" | "comment" }
  | { readonly action: "assign"; readonly assignee: string | null }
  | { readonly action: "snooze"; readonly until: number }
  | { readonly action: "resolve"; readonly disposition: Disposition };

/** Who makes a change. */
export interface Actor {
  readonly type: "user" | "rule" | "system";
  readonly id: string;
}

export interface Change {
  readonly action: Action;
  readonly by: Actor;
  /** Why; of a comment it is the comment. */
  readonly reason?: string;
}

export const maxReason = 4096;
export const maxName = 256;
/** A year, to which a leap day may belong. */
const maxSnoozeMs = 366 * 86_400_000;

/** A change that no alert could take; nothing was looked at. `pointer` names the member at fault. */
export class ChangeError extends Error {
  override readonly name = "ChangeError";
  readonly pointer: "/until" | "/assignee" | "/reason" | "/by";

  constructor(pointer: ChangeError["pointer"], message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/**
 * The change with texts that can be stored: blank space around them is taken away and what PostgreSQL's
 * text cannot hold is replaced. Throws ChangeError. `now` in epoch milliseconds.
 */
export function checkChange({ action, by, reason }: Change, now: number): Change {
  const why = toText(reason ?? "");
  if (why.length > maxReason) throw tooLong("/reason", why, maxReason);
  if (action.action === "comment" && why === "") {
    throw new ChangeError("/reason", "A comment says something: expected text, got none.");
  }
  const id = toText(by.id);
  if (id === "") throw new ChangeError("/by", "Whoever makes a change has a name: expected text, got none.");
  if (id.length > maxName) throw tooLong("/by", id, maxName);
  const checked = { action: checkAction(action, now), by: { type: by.type, id } };
  return why === "" ? checked : { ...checked, reason: why };
}

function checkAction(action: Action, now: number): Action {
  if (action.action === "assign" && action.assignee !== null) {
    const assignee = toText(action.assignee);
    if (assignee === "")
      throw new ChangeError("/assignee", "Expected a name, or null to take the assignee away.");
    if (assignee.length > maxName) throw tooLong("/assignee", assignee, maxName);
    return { action: "assign", assignee };
  }
  if (action.action === "snooze" && !(action.until > now && action.until <= now + maxSnoozeMs)) {
    const got = new Date(action.until);
    const told = Number.isNaN(got.getTime()) ? String(action.until) : got.toISOString();
    throw new ChangeError("/until", `Expected a time from now on and within a year, got ${told}.`);
  }
  return action;
}

function toText(text: string): string {
  return toColumn(text).trim();
}

function tooLong(pointer: ChangeError["pointer"], text: string, max: number): ChangeError {
  return new ChangeError(pointer, `Expected at most ${max} characters, got ${text.length}.`);
}
