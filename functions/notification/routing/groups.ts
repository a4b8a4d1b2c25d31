import { severities, type Severity, type Status } from "../alert-view.ts";
import { isNeeded, nextDue, repeatAt, stepAt, tellAt } from "./due.ts";
import type { Hold } from "./hold.ts";
import type { Route } from "./routes.ts";

/** An alert in a group. Times in epoch milliseconds. */
export interface Member {
  readonly id: string;
  readonly kind: "raised" | "reopened";
  readonly addedAt: number;
  /** Whether people were told, or it is on record why not. */
  readonly told: boolean;
  /** Whether it is on record that a mute time holds its message back. */
  readonly held: boolean;
  /** How many steps of the escalation are behind it. */
  readonly escalated: number;
  readonly status: Status;
  readonly severity: Severity;
  readonly snoozedUntil?: number | undefined;
  /** The silence or inhibition that mutes it now. */
  readonly mutedBy?: string | undefined;
}

export interface GroupState {
  readonly members: readonly Member[];
  /** No message of new alerts before this. */
  readonly notBefore?: number | undefined;
  readonly lastToldAt?: number | undefined;
}

export type MessageKind = "raised" | "reopened" | "repeated" | "escalated" | "digest" | "resolved";

/** One message for each of the channels, or, when something muted it, one row for each that says so. */
export interface GroupMessage {
  readonly kind: MessageKind;
  readonly channels: readonly string[];
  /** The gravest first. */
  readonly members: readonly Member[];
  readonly mutedBy?: string | undefined;
  /** Of the escalation, from 1. */
  readonly step?: number | undefined;
}

/** What to do with a group now, and what is left of it. */
export interface Decision extends GroupState {
  readonly messages: readonly GroupMessage[];
  /** When to look again, always later than now; absent: nothing is left to do, and the group is closed. */
  readonly dueAt?: number | undefined;
}

/** How soon to look again where nobody can say when. */
const dayMs = 86_400_000;

interface Instant {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly hold?: Hold | undefined;
}

/**
 * Decides what a group has to say at an instant. Pure, and free of the order of members: the flusher and
 * the preview of `auditflow routes test` ask the same.
 */
export function decide(route: Route, state: GroupState, { now, hold }: Instant): Decision {
  const members = state.members.filter(({ status }) => status !== "suppressed").toSorted(byGravity);
  if (hold) return holdBack(route, { ...state, members }, { now, hold });
  const said = [tellResolved, tellNew, repeat, escalate].reduce<Said>(
    (before, step) => step(route, before, now),
    { ...state, members, messages: [] },
  );
  const left = { ...said, members: said.members.filter((member) => isNeeded(route, member)) };
  return { ...left, dueAt: nextDue(route, left, now) };
}

/** What was said so far at one instant, and the group as it is after that. */
interface Said extends GroupState {
  readonly messages: readonly GroupMessage[];
}

/** Everything waits for the end of the mute time; that it does is written down once for each alert. */
function holdBack(
  route: Route,
  state: GroupState,
  { now, hold: { by, until = now + dayMs } }: { readonly now: number; readonly hold: Hold },
): Decision {
  const untold = state.members.filter(({ told }) => !told);
  const digestAt = route.digest && untold.length > 0 ? tellAt(route, untold) : now;
  if (digestAt > now) return { ...state, messages: [], dueAt: Math.min(digestAt, until) };
  const fresh = untold.filter(({ held }) => !held);
  const message = { kind: kindOf(route, fresh), channels: route.channels };
  return {
    ...state,
    messages: messagesOf(message, fresh, () => by),
    members: state.members.map((member) => (member.told ? member : { ...member, held: true })),
    dueAt: state.members.length > 0 ? until : undefined,
  };
}

function tellNew(route: Route, said: Said, now: number): Said {
  const untold = said.members.filter(({ told }) => !told);
  if (untold.length === 0 || tellAt(route, untold, said.notBefore) > now) return said;
  const message = { kind: kindOf(route, untold), channels: route.channels };
  const messages = messagesOf(message, untold, (member) => {
    // A digest is a report: it says what came, whatever became of it.
    if (route.digest) return member.mutedBy;
    if (member.status === "resolved") return "resolved";
    return member.mutedBy ?? (isSnoozed(member, now) ? "snooze" : undefined);
  });
  return {
    messages: [...said.messages, ...messages],
    members: said.members.map((member) => ({ ...member, told: true })),
    lastToldAt: now,
    notBefore: route.digest ? undefined : now + route.groupIntervalMs,
  };
}

function kindOf({ digest }: Route, untold: readonly Member[]): MessageKind {
  if (digest) return "digest";
  return untold.every(({ kind }) => kind === "reopened") ? "reopened" : "raised";
}

function isSnoozed({ snoozedUntil = 0 }: Member, now: number): boolean {
  return snoozedUntil > now;
}

function repeat(route: Route, said: Said, now: number): Said {
  const repeated = said.members.filter(
    (member) => member.told && member.status !== "resolved" && !isSnoozed(member, now),
  );
  if (repeated.length === 0 || repeatAt(route, repeated, said.lastToldAt) > now) return said;
  const messages = messagesOf({ kind: "repeated", channels: route.channels }, repeated);
  return { ...said, messages: [...said.messages, ...messages], lastToldAt: now };
}

/** An alert that is not open when the time of a step comes passes it by for good. */
function escalate(route: Route, said: Said, now: number): Said {
  return route.escalate.reduce<Said>((before, step, index) => {
    const hasPassed = (member: Member) => member.escalated <= index && stepAt(member, step) <= now;
    const waiting = before.members.filter((member) => hasPassed(member) && member.status === "open");
    const message = { kind: "escalated", channels: step.channels, step: index + 1 } as const;
    return {
      ...before,
      messages: [...before.messages, ...messagesOf(message, waiting)],
      members: before.members.map((member) =>
        hasPassed(member) ? { ...member, escalated: index + 1 } : member,
      ),
    };
  }, said);
}

/** Comes before what is new is told: of that people need not hear that it is over. */
function tellResolved(route: Route, said: Said): Said {
  if (!route.sendResolved) return said;
  const resolved = said.members.filter(({ told, status }) => told && status === "resolved");
  const messages = messagesOf({ kind: "resolved", channels: route.channels }, resolved);
  return { ...said, messages: [...said.messages, ...messages] };
}

/** One message of those that nothing mutes, and one for each thing that mutes others. */
function messagesOf(
  message: Pick<GroupMessage, "kind" | "channels" | "step">,
  members: readonly Member[],
  mutingOf: (member: Member) => string | undefined = ({ mutedBy }) => mutedBy,
): readonly GroupMessage[] {
  if (message.channels.length === 0) return [];
  return [...Map.groupBy(members, mutingOf)]
    .map(([mutedBy, members]) => ({ ...message, members, mutedBy }))
    .toSorted((a, b) => ((a.mutedBy ?? "") < (b.mutedBy ?? "") ? -1 : 1));
}

function byGravity(a: Member, b: Member): number {
  return severities.indexOf(b.severity) - severities.indexOf(a.severity) || (a.id < b.id ? -1 : 1);
}
