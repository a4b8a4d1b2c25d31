import type { Correlation, SeenCondition } from "../language/correlation.ts";
import type { Bucket, Member } from "./member.ts";

/*
 * The definitions word by word and as slow as they like: every window is filtered anew, a chain is searched
 * for by trial, numbers are counted in tenths. Nothing of the implementation is used.
 */

/** The positions that qualify, by the definition. */
export function positionsByDefinition(correlation: Correlation, given: readonly Member[]): readonly number[] {
  const members = given.filter((member) => counts(correlation, member));
  const positions = [...new Set(members.map(({ time }) => time))].toSorted((a, b) => a - b);
  return positions.filter((position) => qualifies(correlation, members, position));
}

/** The buckets, by the definition; `around` limits them to what a member at that time can affect. */
export function bucketsByDefinition(
  correlation: Correlation,
  given: readonly Member[],
  isAffected: (position: number) => boolean = () => true,
): readonly Bucket[] {
  const { timespanMs } = correlation;
  const positions = positionsByDefinition(correlation, given).filter(isAffected);
  const numbers = new Set(positions.map((position) => Math.floor(position / timespanMs)));
  return [...numbers].map((bucket) => {
    const own = positions.filter((position) => Math.floor(position / timespanMs) === bucket);
    const members = given
      .filter((member) => counts(correlation, member))
      .filter((member) => own.some((position) => windowOf(correlation, given, position).includes(member)))
      .toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
    const times = members.map(({ time }) => time);
    return {
      bucket,
      crossedAt: Math.min(...own),
      count: members.length,
      firstSeen: Math.min(...times),
      lastSeen: Math.max(...times),
      members,
    };
  });
}

function counts({ type }: Correlation, { values }: Member): boolean {
  const isNumeric = ["value_sum", "value_avg", "value_median", "value_percentile"].includes(type);
  return !isNumeric || values[0] !== "many";
}

function isSilence({ type, condition }: Correlation): boolean {
  if (type !== "event_count" || condition.kind !== "number") return false;
  const holds = (count: number) => holdsTenths(condition.comparisons, count * 10);
  return holds(0) && !Array.from({ length: 100 }, (_, index) => index + 1).some(holds);
}

function windowOf(correlation: Correlation, given: readonly Member[], position: number): readonly Member[] {
  const { timespanMs, window } = correlation;
  const members = given.filter((member) => counts(correlation, member));
  if (isSilence(correlation)) return members.filter(({ time }) => time === position);
  const upTo = members.filter(({ time }) => time <= position);
  if (window.kind === "tumbling") {
    const slot = Math.floor(position / timespanMs) * timespanMs;
    return upTo.filter(({ time }) => time >= slot);
  }
  const inSpan = upTo.filter(({ time }) => time > position - timespanMs);
  if (window.kind === "sliding") return inSpan;
  return connectedWith(inSpan, position, window.gapMs);
}

/** Walks back from the position over members without a step longer than the gap. */
function connectedWith(members: readonly Member[], position: number, gapMs: number): readonly Member[] {
  const reached = members.filter(({ time }) => time <= position && position - time <= gapMs);
  const earlier = reached.filter(({ time }) => time < position);
  const behind = earlier.flatMap(({ time }) => connectedWith(members, time, gapMs));
  return [...new Set([...reached, ...behind])];
}

function qualifies(correlation: Correlation, members: readonly Member[], position: number): boolean {
  const { type, condition, timespanMs } = correlation;
  const window = windowOf(correlation, members, position);
  const ahead = members.filter(({ time }) => time > position && time <= position + timespanMs);
  if (isSilence(correlation)) return ahead.length === 0;
  if (condition.kind === "number")
    return holdsTenths(condition.comparisons, ...tenthsOf(correlation, window));
  if (type === "temporal") return holdsSeen(condition.of, window);
  const named = condition.of.kind === "and" ? condition.of.of : [];
  const positive = named.flatMap((part) => (part.kind === "rule" ? [part.index] : []));
  const negated = named.flatMap((part) =>
    part.kind === "not" && part.of.kind === "rule" ? [part.of.index] : [],
  );
  const chains = chainsOf(positive, window);
  if (negated.length === 0) return chains.length > 0;
  const isFollowed = ahead.some((member) => negated.some((index) => has(member, index)));
  return chains.some((chain) => chain.at(-1)?.time === position) && !isFollowed;
}

function has({ rules }: Member, index: number): boolean {
  return Math.floor(rules / 2 ** index) % 2 === 1;
}

function holdsSeen(seen: SeenCondition, window: readonly Member[]): boolean {
  if (seen.kind === "rule") return window.some((member) => has(member, seen.index));
  if (seen.kind === "not") return !holdsSeen(seen.of, window);
  const parts = seen.of.filter((part) => holdsSeen(part, window));
  return parts.length >= (seen.kind === "and" ? seen.of.length : 1);
}

/** Tries every way to give each rule a member of its own, none earlier than the one before. */
function chainsOf(rules: readonly number[], window: readonly Member[]): readonly (readonly Member[])[] {
  let chains: readonly (readonly Member[])[] = [[]];
  for (const rule of rules) {
    chains = chains.flatMap((chain) =>
      window
        .filter((member) => has(member, rule) && !chain.includes(member))
        .filter(({ time }) => time >= (chain.at(-1)?.time ?? time))
        .map((member) => [...chain, member]),
    );
  }
  return chains;
}

/** The number of a window in tenths, as a fraction: [numerator, denominator]. */
function tenthsOf(correlation: Correlation, window: readonly Member[]): readonly [number, number] {
  const { type, percentile = 50 } = correlation;
  if (type === "event_count") return [window.length * 10, 1];
  if (type === "value_count") return [new Set(window.map(({ values }) => values[0])).size * 10, 1];
  const tenths = window.map(({ values }) => Math.round(Number(values[0]) * 10)).toSorted((a, b) => a - b);
  const sum = tenths.reduce((one, other) => one + other, 0);
  if (type === "value_sum") return [sum, 1];
  if (type === "value_avg") return [sum, tenths.length];
  if (type === "value_median") {
    const [low = 0, high = 0] = [
      tenths[Math.ceil(tenths.length / 2) - 1],
      tenths[Math.floor(tenths.length / 2)],
    ];
    return [low + high, 2];
  }
  // The smallest value that so many per cent of all values do not exceed.
  const enough = tenths.find(
    (value) =>
      tenths.filter((other) => other <= value).length * 1000 >= Math.round(percentile * 10) * tenths.length,
  );
  return [enough ?? Number.NaN, 1];
}

function holdsTenths(
  comparisons: readonly { readonly operator: string; readonly operand: number }[],
  numerator: number,
  denominator = 1,
): boolean {
  return comparisons.every(({ operator, operand }) => {
    const other = Math.round(operand * 10) * denominator;
    if (operator === "lt") return numerator < other;
    if (operator === "lte") return numerator <= other;
    if (operator === "gt") return numerator > other;
    if (operator === "gte") return numerator >= other;
    return operator === "eq" ? numerator === other : numerator !== other;
  });
}
