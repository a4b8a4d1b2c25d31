import { createLatestStart, never, startOfRules } from "./latest-start.ts";
import type { HeldMember, Window } from "./memory-window.ts";
import { inOrder } from "./members.ts";
import type { QualifiedBucket, WindowStep } from "./state.ts";

/** What a member affects: the window of every position t in [its time, limit] is (max(t - timespan, base), t]. */
interface Span {
  readonly base: number;
  readonly limit: number;
  /** Where the first of these windows may begin, whatever was evicted. */
  readonly reach: number;
}

/** The qualifying buckets of the positions a member that was taken in affects, or why they cannot be told. */
export function evaluate(window: Window, step: WindowStep): readonly QualifiedBucket[] | "late" {
  const { time, timespanMs } = step;
  if (time - timespanMs < window.floor || !window.members.has(step.member)) return "late";
  const span = spanOf(window, step);
  if (isHopeless(window, step, span)) return [];

  const lower = (position: number) => Math.max(position - timespanMs, span.base);
  const qualifies = qualifier(window, step, { ...span, lower });
  // What qualifies with the members left qualifies whatever was evicted; and then so does every later
  // position whose window reaches as far.
  if (window.cut > span.reach && !qualifies(time)) return "late";
  const positions = window.members.between(time - 1, span.limit);
  const boundary = (Math.floor(time / timespanMs) + 1) * timespanMs;
  const split = positions.findIndex((position) => position.time >= boundary);
  const halves = split === -1 ? [positions] : [positions.slice(0, split), positions.slice(split)];
  return halves.flatMap((half) => {
    const first = half.find((position) => qualifies(position.time));
    const last = half.findLast((position) => qualifies(position.time));
    return first && last ? [describe(window, step, [lower(first.time), first.time, last.time])] : [];
  });
}

function spanOf(window: Window, { time, timespanMs, window: kind }: WindowStep): Span {
  const reach = time - timespanMs;
  if (kind.kind === "sliding") return { base: reach, limit: time + timespanMs - 1, reach };
  if (kind.kind === "tumbling") {
    const base = Math.floor(time / timespanMs) * timespanMs - 1;
    return { base, limit: base + timespanMs, reach: base };
  }
  const { first, last } = session(window, time, { gapMs: kind.gapMs, timespanMs });
  // A gap wide enough proves that nothing evicted belongs to the session.
  return { base: first - 1, limit: last, reach: first - window.cut > kind.gapMs ? first - 1 : reach };
}

/** The members connected with `time` in less than a timespan. Whole gaps are passed at a stride. */
function session(
  { members }: Window,
  time: number,
  { gapMs, timespanMs }: { readonly gapMs: number; readonly timespanMs: number },
): { readonly first: number; readonly last: number } {
  let [first, last] = [time, time];
  for (;;) {
    const before = members.firstAfter(Math.max(first - gapMs - 1, time - timespanMs));
    if (before === undefined || before >= first) break;
    first = before;
  }
  for (;;) {
    const after = members.lastUpTo(Math.min(last + gapMs, time + timespanMs - 1));
    if (after === undefined || after <= last) break;
    last = after;
  }
  return { first, last };
}

/** Whether nothing later than the reach can satisfy the condition, whatever was evicted. */
function isHopeless(window: Window, { condition, time, timespanMs }: WindowStep, { reach }: Span): boolean {
  if (condition.kind === "count") {
    if (window.cut > reach) return false;
    return window.members.count(reach, time + timespanMs - 1) < condition.atLeast;
  }
  const facts = [...window.latest].filter(([, last]) => last > reach);
  if (condition.kind === "distinct") return facts.length < condition.atLeast;
  const rules = new Map(facts.map(([rule, last]) => [Number(rule), last]));
  if (condition.kind === "rules") return startOfRules(condition.anyOf, rules) === never;
  return rules.size < condition.length;
}

/** Whether what is known of a position's window satisfies the condition. */
function qualifier(
  window: Window,
  { condition, time }: WindowStep,
  { lower, limit }: Pick<Span, "limit"> & { readonly lower: (position: number) => number },
): (position: number) => boolean {
  if (condition.kind === "count") {
    return (position) => window.members.count(lower(position), position) >= condition.atLeast;
  }
  const start = createLatestStart(condition);
  const starts = new Map<number, number>();
  const known = window.members.between(lower(time), limit);
  // With a later position, what is known of evicted members would leave its window and not the member's own.
  const isNewest = known.at(-1)?.time === time;
  if (isNewest && condition.kind !== "sequence") tellEvicted(window, lower(time), start);
  for (const [at, members] of Map.groupBy(known, (member: HeldMember) => member.time)) {
    starts.set(
      at,
      start(
        at,
        members.map(({ facts }) => facts),
      ),
    );
  }
  return (position) => (starts.get(position) ?? never) > lower(position);
}

/** Facts whose members were evicted come before every member left. */
function tellEvicted(
  { latest, cut }: Window,
  after: number,
  start: (...told: TellArguments) => number,
): void {
  const evicted = [...latest].filter(([, last]) => last > after && last <= cut);
  for (const [fact, last] of evicted.toSorted((a, b) => a[1] - b[1])) start(last, [[fact]]);
}

type TellArguments = Parameters<ReturnType<typeof createLatestStart>>;

/** The bucket of the qualifying positions first to last, whose windows begin after `after`. */
function describe(
  window: Window,
  step: WindowStep,
  [after, first, last]: readonly [after: number, first: number, last: number],
): QualifiedBucket {
  const bucket = Math.floor(first / step.timespanMs);
  const start = bucket * step.timespanMs;
  const own = { member: step.member, time: step.time };
  const pending = [
    ...window.pending.next.between(after, Math.min(last, start - 1)),
    ...window.pending.own.between(Math.max(after, start - 1), last),
  ];
  const told = pending.map(({ member, time }) => ({ member, time }));
  return {
    bucket,
    crossedAt: first,
    count: window.members.count(after, last),
    firstSeen: window.members.firstAfter(after) ?? step.time,
    lastSeen: last,
    members: inOrder(told.some(({ member }) => member === own.member) ? told : [...told, own]),
  };
}
