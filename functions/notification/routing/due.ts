import { digestTime } from "./digest-time.ts";
import type { GroupState, Member } from "./groups.ts";
import type { EscalationStep, Route } from "./routes.ts";

/** When the alerts of a group that people were not told of are told. Epoch milliseconds, as all times here. */
export function tellAt(route: Route, untold: readonly Member[], notBefore = 0): number {
  const { digest } = route;
  if (digest) return Math.min(...untold.map(({ addedAt }) => digestTime(digest, addedAt)));
  // Whoever works on an alert thought it was over.
  if (untold.some(({ kind }) => kind === "reopened")) return 0;
  return Math.max(notBefore, Math.min(...untold.map(({ addedAt }) => addedAt)) + route.groupWaitMs);
}

/** When those that people were told of are told again. */
export function repeatAt(
  { repeatIntervalMs = Infinity }: Route,
  told: readonly Member[],
  lastToldAt = Math.min(...told.map(({ addedAt }) => addedAt)),
): number {
  return lastToldAt + repeatIntervalMs;
}

/** When a step of the escalation comes for an alert; a snooze puts it off. */
export function stepAt({ addedAt, snoozedUntil = 0 }: Member, { afterMs }: EscalationStep): number {
  return Math.max(addedAt + afterMs, snoozedUntil);
}

/** Whether there is anything people may yet hear of an alert. */
export function isNeeded({ escalate, repeatIntervalMs, sendResolved }: Route, member: Member): boolean {
  if (!member.told) return true;
  if (member.status === "resolved") return false;
  return repeatIntervalMs !== undefined || sendResolved || member.escalated < escalate.length;
}

/** When a group has to be looked at after everything was said that is due; `undefined`: never again. */
export function nextDue(
  route: Route,
  { members, lastToldAt, notBefore = 0 }: GroupState,
  now: number,
): number | undefined {
  const untold = members.filter(({ told }) => !told);
  const told = members.filter((member) => member.told);
  const times = [
    ...(untold.length > 0 ? [tellAt(route, untold, notBefore)] : []),
    ...(told.length > 0 ? [Math.max(repeatAt(route, told, lastToldAt), wakingOf(told))] : []),
    ...(told.length > 0 && route.sendResolved ? [now + route.groupIntervalMs] : []),
    ...members.flatMap((member) =>
      route.escalate.slice(member.escalated, member.escalated + 1).map((step) => stepAt(member, step)),
    ),
    // The group stays for as long as it decides when the next message may go.
    ...(route.groupBy !== "alone" && notBefore > now ? [notBefore] : []),
  ];
  const due = Math.min(...times);
  return due === Infinity ? undefined : due;
}

/** When the first of them is not snoozed any more. */
function wakingOf(members: readonly Member[]): number {
  return Math.min(...members.map(({ snoozedUntil = 0 }) => snoozedUntil));
}
