import { decide, type GroupMessage, type GroupState, type Member } from "./groups.ts";
import { holdOf } from "./hold.ts";
import type { Route, Routes } from "./routes.ts";

/** A message that is to be expected, or that is muted; `at` in epoch milliseconds. */
export type Foreseen = Pick<GroupMessage, "kind" | "channels" | "mutedBy" | "step"> & { readonly at: number };

/** Longer ahead nobody looks, and what repeats never ends. */
const maxForeseen = 12;

/**
 * What people will be told of an alert that comes now and that nobody does anything about, if no other one
 * joins it: the first repetition stands for all of them.
 */
export function foresee(
  { muteTimes }: Pick<Routes, "muteTimes">,
  { route, member }: { readonly route: Route; readonly member: Member },
  now: number,
): readonly Foreseen[] {
  const foreseen: Foreseen[] = [];
  let state: GroupState = { members: [member] };
  let at: number | undefined = now;
  // Nobody resolves it, so nobody need look whether somebody did.
  const unwatched = { ...route, sendResolved: false };
  while (at !== undefined && foreseen.length < maxForeseen) {
    const decision = decide(unwatched, state, { now: at, hold: holdOf(route, muteTimes, at) });
    for (const { kind, channels, mutedBy, step } of decision.messages) {
      foreseen.push({ at, kind, channels, mutedBy, step });
    }
    if (foreseen.some(({ kind }) => kind === "repeated") || isQuiet(route, decision)) break;
    state = decision;
    at = decision.dueAt;
  }
  return foreseen;
}

/** Whether nothing is to come but what depends on people: a route may look on for ever. */
function isQuiet({ repeatIntervalMs, escalate }: Route, { members }: GroupState): boolean {
  const isDone = ({ told, escalated }: Member) => told && escalated >= escalate.length;
  return repeatIntervalMs === undefined && members.every(isDone);
}
