import type { Correlation } from "../language/correlation.ts";
import { comparisonsOf, hasNot, isSilence, orderOf, seenOf, termsOf } from "./condition.ts";

/** What the windows of a correlation can be asked one event at a time: plain data, as the state port takes it. */
export type WindowCondition =
  | { readonly kind: "count" | "distinct"; readonly atLeast: number }
  /** Some bit set is seen completely in the window. */
  | { readonly kind: "rules"; readonly anyOf: readonly number[] }
  /** Rules 0 to length - 1 by distinct members in order of time, ties in any order. */
  | { readonly kind: "sequence"; readonly length: number };

const rising: ReadonlySet<string> = new Set(["gt", "gte"]);

/**
 * Whether more members can only add qualifying positions: counts of at least so many, and rules seen
 * without a `not`. Of the correlation by itself; for what it refers to see `isEager`.
 */
export function isMonotone(correlation: Correlation): boolean {
  const { type } = correlation;
  if (type === "temporal" || type === "temporal_ordered") return !hasNot(seenOf(correlation));
  const isCount = type === "event_count" || type === "value_count";
  return isCount && comparisonsOf(correlation).every(({ operator }) => rising.has(operator));
}

/**
 * Whether a correlation may fire the moment an event comes: monotone, over rules only, and with a
 * condition the state port can be asked. The others are evaluated from the ledger.
 */
export function isEager(correlation: Correlation): boolean {
  return (
    isMonotone(correlation) &&
    correlation.refersTo.every(({ kind }) => kind === "rule") &&
    conditionOf(correlation) !== undefined
  );
}

/** The condition of an eager correlation; undefined for one that is not monotone or too wide to be asked. */
export function conditionOf(correlation: Correlation): WindowCondition | undefined {
  if (!isMonotone(correlation)) return undefined;
  if (correlation.type === "temporal") {
    const anyOf = termsOf(seenOf(correlation));
    return anyOf && { kind: "rules", anyOf };
  }
  if (correlation.type === "temporal_ordered") {
    const { positive } = orderOf(correlation);
    // The state counts rules from 0 without a gap; a list with rules the condition does not name has gaps.
    const isWhole = positive.length === correlation.refersTo.length;
    return isWhole ? { kind: "sequence", length: positive.length } : undefined;
  }
  const atLeast = comparisonsOf(correlation).map(({ operator, operand }) =>
    operator === "gt" ? Math.floor(operand) + 1 : Math.ceil(operand),
  );
  const kind = correlation.type === "value_count" ? "distinct" : "count";
  return { kind, atLeast: Math.max(1, ...atLeast) };
}

/** How far, in milliseconds, the window of a position reaches back and ahead of it. */
export interface Reach {
  readonly before: number;
  readonly after: number;
}

/**
 * The reach of a correlation by itself. A member at `time` affects positions from `time - after` up to
 * and without `time + before`; to evaluate those, members from `time - before - after` to
 * `time + before + after` are needed.
 */
export function reachMs(correlation: Correlation): Reach {
  const { timespanMs } = correlation;
  if (isSilence(correlation)) return { before: 1, after: timespanMs };
  return { before: timespanMs, after: isNotFollowed(correlation) ? timespanMs : 0 };
}

/** Whether the silence of rules after a chain is asked for. */
export function isNotFollowed(correlation: Correlation): boolean {
  return correlation.type === "temporal_ordered" && orderOf(correlation).negated.length > 0;
}
