import { decide, type GroupMessage, type GroupState, type Member } from "./groups.ts";
import { holdOf } from "./hold.ts";
import type { Route, Routes } from "./routes.ts";

/** A message that is to be expected, or that is muted; `at` in epoch milliseconds. */
export type Foreseen = Pick<GroupMessage, "kind" | "channels" | "mutedBy" | "step"> & { readonly at: number };

/** Longer ahead nobody looks, and what repeats never ends. */
const maxForeseen = 12;
/** A route without channels has its times too, and says nothing at any of them. */
const maxLooks = 100;

/**
 * What people will be told of an alert that comes now and that nobody does anything about, if no other one
 * joins it: the first repetition stands for all of them. Of a mute time that does not end within a year the
 * end is not awaited.
 */
export function foresee(
  { muteTimes }: Pick<Routes, "muteTimes">,
  { route, member }: { readonly route: Route; readonly member: Member },
  now: number,
): readonly Foreseen[] {
  const foreseen: Foreseen[] = [];
  let state: GroupState = { members: [member] };
  let at = now;
  // Nobody resolves it, so nobody need look whether somebody did.
  const unwatched = { ...route, sendResolved: false };
  for (let looks = 0; looks < maxLooks && at < Infinity && foreseen.length < maxForeseen; looks += 1) {
    const hold = holdOf(route, muteTimes, at);
    const decision = decide(unwatched, state, {
      now: at,
      hold: hold && { ...hold, until: hold.until ?? Infinity },
    });
    for (const { kind, channels, mutedBy, step } of decision.messages) {
      foreseen.push({ at, kind, channels, mutedBy, step });
    }
    if (foreseen.some(({ kind }) => kind === "repeated") || isQuiet(route, decision)) break;
    state = decision;
    at = decision.dueAt ?? Infinity;
  }
  return foreseen;
}

/** Whether nothing is to come but what depends on people: a route may look on for ever. */
function isQuiet({ repeatIntervalMs, escalate }: Route, { members }: GroupState): boolean {
  const isDone = ({ told, escalated }: Member) => told && escalated >= escalate.length;
  return repeatIntervalMs === undefined && members.every(isDone);
}
