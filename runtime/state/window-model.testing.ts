import { bitsOf, entryTag, factLimit, factsOf, memberLimit } from "./facts.ts";
import type {
  QualifiedBucket,
  WindowAnswer,
  WindowCondition,
  WindowLimits,
  WindowMember,
  WindowStep,
} from "./state.ts";

interface Known extends WindowMember {
  readonly facts: readonly string[];
  readonly entry: string;
}

/** What a run of the model met; a property that never meets eviction says nothing about it. */
export interface Met {
  qualified: number;
  twoBuckets: number;
  late: number;
  /** Answered although some of the window was evicted: because of what is left, or of what cannot be. */
  decidedByTheRest: number;
  decidedByFacts: number;
  undecided: number;
}

export const nothingMet: Met = {
  qualified: 0,
  twoBuckets: 0,
  late: 0,
  decidedByTheRest: 0,
  decidedByFacts: 0,
  undecided: 0,
};

const late: WindowAnswer = { qualified: [], late: true };

/** What is known of one group. */
interface Group {
  kept: readonly Known[];
  readonly latest: Map<string, number>;
  readonly confirmed: Set<string>;
  floor: number;
  cut: number;
}

/** One group's window as plain lists, evaluated by brute force from its definition. */
export function createWindowModel(limits: WindowLimits, met: Met) {
  const [floor, cut] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const group: Group = { kept: [], latest: new Map(), confirmed: new Set(), floor, cut };
  return {
    window(step: WindowStep): WindowAnswer {
      if (step.time > group.floor) {
        take(group, step, limits);
        const isHeld = group.kept.some(({ member }) => member === step.member);
        if (isHeld && step.time - step.timespanMs >= group.floor) return evaluate(group, step, met);
      }
      met.late += 1;
      return late;
    },
    confirm(recorded: WindowAnswer["qualified"]): void {
      for (const { bucket, members } of recorded)
        for (const { member } of members)
          if (group.kept.some((known) => known.member === member)) group.confirmed.add(`${bucket} ${member}`);
    },
  };
}

function take(group: Group, step: WindowStep, limits: WindowLimits): void {
  const { member, time, timespanMs, latenessMs } = step;
  const { latest, confirmed } = group;
  group.floor = Math.max(group.floor, time - timespanMs - latenessMs);
  const facts = factsOf(step);
  for (const fact of facts) latest.set(fact, Math.max(time, latest.get(fact) ?? time));
  for (const [fact, last] of latest) if (last <= group.floor) latest.delete(fact);
  const surplus = Math.max(0, latest.size - factLimit(step, limits));
  for (const [fact] of oldestFirst([...latest]).slice(0, surplus)) latest.delete(fact);

  const known = { member, time, facts, entry: entryTag(step, facts) + member };
  const isNew = time >= group.cut && group.kept.every((other) => other.member !== member);
  const all = [...group.kept, ...(isNew ? [known] : [])]
    .filter((other) => other.time > group.floor)
    .toSorted((a, b) => a.time - b.time || byBytes(a.entry, b.entry));
  const limit = memberLimit(step, limits);
  group.kept = all.slice(-limit);
  for (const evicted of all.slice(0, -limit)) {
    group.cut = evicted.time;
    for (const name of confirmed) if (name.endsWith(` ${evicted.member}`)) confirmed.delete(name);
  }
}

/** The members of the window of position t, from its definition. */
function windowOf({ kept }: Group, { timespanMs, window }: WindowStep, t: number): readonly Known[] {
  const slot = Math.floor(t / timespanMs);
  const inSpan = kept.filter(({ time }) => time > t - timespanMs && time <= t);
  if (window.kind === "sliding") return inSpan;
  if (window.kind === "tumbling") return inSpan.filter(({ time }) => Math.floor(time / timespanMs) === slot);
  let start = t;
  for (const { time } of inSpan.toReversed()) if (start - time <= window.gapMs) start = Math.min(start, time);
  return inSpan.filter(({ time }) => time >= start);
}

/** A position: whether what is known of its window, and whether anything that may be missing, satisfies it. */
function judge(group: Group, step: WindowStep, { t, isOnly }: { t: number; isOnly: boolean }) {
  const { timespanMs, window, condition } = step;
  const { latest, cut } = group;
  const members = windowOf(group, step, t);
  const first = members[0]?.time ?? t;
  const slot = Math.floor(t / timespanMs) * timespanMs;
  const lower = { sliding: t - timespanMs, tumbling: slot - 1, session: first - 1 }[window.kind];
  const reach = window.kind === "session" ? t - timespanMs : lower;
  const isConnected = window.kind !== "session" || first - cut <= window.gapMs;
  const evicted = [...latest].filter(([, time]) => isOnly && time > lower && time <= cut);
  const possible = [...latest].filter(([, time]) => time > reach).map(([fact]) => fact);
  return {
    t,
    members,
    holds: holds(condition, members, new Set(evicted.map(([fact]) => fact))),
    isOpen: reach < cut && isConnected,
    isPossible: condition.kind === "count" || isPossible(condition, new Set(possible)),
  };
}

function evaluate(group: Group, step: WindowStep, met: Met): WindowAnswer {
  const { member, time, timespanMs } = step;
  const positions = [...new Set(group.kept.map((known) => known.time))]
    .filter((t) => t >= time && t < time + timespanMs)
    .filter((t) => windowOf(group, step, t).some((known) => known.member === member))
    .map((t, _, affected) => judge(group, step, { t, isOnly: affected.length === 1 }));
  const open = positions.filter(({ isOpen }) => isOpen);
  if (open.some((position) => !position.holds && position.isPossible)) {
    met.undecided += 1;
    return late;
  }
  met.decidedByTheRest += open.some((position) => position.holds) ? 1 : 0;
  met.decidedByFacts += open.some((position) => !position.isPossible) ? 1 : 0;
  const found = Map.groupBy(
    positions.filter((position) => position.holds),
    ({ t }) => Math.floor(t / timespanMs),
  );
  const qualified = [...found].map(([bucket, windows]) => describe(group, step, { bucket, windows }));
  met.qualified += qualified.length > 0 ? 1 : 0;
  met.twoBuckets += qualified.length > 1 ? 1 : 0;
  return { qualified, late: false };
}

/** The bucket of these qualifying positions: the members of any of their windows. */
function describe(
  { kept, confirmed }: Group,
  step: WindowStep,
  { bucket, windows }: { bucket: number; windows: readonly ReturnType<typeof judge>[] },
): QualifiedBucket {
  const union = new Set(windows.flatMap(({ members }) => members));
  const all = kept.filter((known) => union.has(known)).toSorted(inAnswer);
  const untold = all.filter(({ member }) => member === step.member || !confirmed.has(`${bucket} ${member}`));
  return {
    bucket,
    crossedAt: windows[0]?.t ?? 0,
    count: all.length,
    firstSeen: all[0]?.time ?? 0,
    lastSeen: windows.at(-1)?.t ?? 0,
    members: untold.map(({ member, time }) => ({ member, time })),
  };
}

function holds(condition: WindowCondition, members: readonly Known[], evicted: ReadonlySet<string>): boolean {
  if (condition.kind === "count") return members.length >= condition.atLeast;
  if (condition.kind === "sequence")
    return isSequence(members, condition.length - 1, Number.POSITIVE_INFINITY);
  return isPossible(condition, new Set([...members.flatMap(({ facts }) => facts), ...evicted]));
}

/** Whether facts satisfy a condition, where order and number do not matter. */
function isPossible(
  condition: Exclude<WindowCondition, { kind: "count" }>,
  facts: ReadonlySet<string>,
): boolean {
  if (condition.kind === "distinct") return facts.size >= condition.atLeast;
  const sets = condition.kind === "sequence" ? [2 ** condition.length - 1] : condition.anyOf;
  return sets.some((set) => bitsOf(set).every((rule) => facts.has(String(rule))));
}

/** Tries every choice of different members for the rules, from the last one backwards. */
function isSequence(members: readonly Known[], rule: number, upTo: number): boolean {
  if (rule < 0) return true;
  return members.some(
    (known) =>
      known.time <= upTo &&
      known.facts.includes(String(rule)) &&
      isSequence(
        members.filter((other) => other !== known),
        rule - 1,
        known.time,
      ),
  );
}

function oldestFirst(facts: readonly (readonly [string, number])[]) {
  return facts.toSorted((a, b) => a[1] - b[1] || byBytes(a[0], b[0]));
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function inAnswer(a: Known, b: Known): number {
  return a.time - b.time || (a.member < b.member ? -1 : 1);
}
