import type { Correlation, CorrelationType } from "../language/correlation.ts";
import { comparisonsOf, holdsNumber, holdsSeen, isSilence, orderOf, seenOf } from "./condition.ts";
import { matchesRule, type Member } from "./member.ts";
import { createOrderedValues } from "./ordered-values.ts";
import { createRank, createSum, toNumber } from "./numbers.ts";
import { createSequence } from "./sequence.ts";

/** What a window amounts to, for people: the number compared, or the rules seen (indexes of `refersTo`). */
export interface Observed {
  readonly number?: number;
  readonly seen?: readonly number[];
}

/**
 * What a window holds, kept up to date while the window moves on: members enter in order of time and
 * leave in the same order.
 */
export interface Tally {
  enter(member: Member): void;
  leave(member: Member): void;
  /** Whether the condition holds for the window, whose first member is of the time `from`. */
  holds(from: number): boolean;
  observe(): Observed;
}

/** What silence is asked of lies ahead of the window: nothing in it matters. */
const silence: Tally = {
  enter: () => {},
  leave: () => {},
  holds: () => true,
  observe: () => ({ number: 0 }),
};

const creators: Readonly<Record<CorrelationType, (correlation: Correlation) => Tally>> = {
  event_count: createCount,
  value_count: createDistinct,
  value_sum: createTotal,
  value_avg: createTotal,
  value_median: createQuantile,
  value_percentile: createQuantile,
  temporal: createSeen,
  temporal_ordered: createOrdered,
};

/** Makes the tally of an empty window. */
export function createTally(correlation: Correlation): Tally {
  return isSilence(correlation) ? silence : creators[correlation.type](correlation);
}

/**
 * Whether a member counts at all: for `value_count` one that lacks a value does not, for the other
 * `value_*` one without a number.
 */
export function isCounted({ type, valueFields }: Correlation, { values }: Member): boolean {
  if (type === "value_count") return values.length === valueFields.length;
  return !type.startsWith("value_") || toNumber(values[0] ?? "") !== undefined;
}

function createCount(correlation: Correlation): Tally {
  const comparisons = comparisonsOf(correlation);
  let count = 0;
  return {
    enter: () => void (count += 1),
    leave: () => void (count -= 1),
    holds: () => holdsNumber(comparisons, (operand) => count - operand),
    observe: () => ({ number: count }),
  };
}

/** What `value_count` counts once: the value, or several together. */
export function distinctValueOf({ values }: Pick<Member, "values">): string {
  return values.length === 1 ? (values[0] ?? "") : JSON.stringify(values);
}

function createDistinct(correlation: Correlation): Tally {
  const comparisons = comparisonsOf(correlation);
  const counts = new Map<string, number>();
  return {
    enter(member) {
      const value = distinctValueOf(member);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    },
    leave(member) {
      const value = distinctValueOf(member);
      const count = counts.get(value) ?? 0;
      if (count > 1) counts.set(value, count - 1);
      else counts.delete(value);
    },
    holds: () => holdsNumber(comparisons, (operand) => counts.size - operand),
    observe: () => ({ number: counts.size }),
  };
}

function numberOf({ values }: Member): number {
  return toNumber(values[0] ?? "") ?? 0;
}

/** Sums, and averages as sums compared with that many times the operand. */
function createTotal(correlation: Correlation): Tally {
  const comparisons = comparisonsOf(correlation);
  const isAverage = correlation.type === "value_avg";
  const sum = createSum();
  let count = 0;
  const divisor = () => (isAverage ? count : 1);
  return {
    enter(member) {
      sum.add(numberOf(member));
      count += 1;
    },
    leave(member) {
      sum.remove(numberOf(member));
      count -= 1;
    },
    holds: () => holdsNumber(comparisons, (operand) => sum.compare(operand, divisor())),
    observe: () => ({ number: sum.toNumber() / divisor() }),
  };
}

/** A percentile is one of the values; a median the mean of two when there is no middle one. */
function createQuantile(correlation: Correlation): Tally {
  const comparisons = comparisonsOf(correlation);
  const values = createOrderedValues();
  const rankOf = createRank(correlation.percentile ?? 50);
  const isMedian = correlation.type === "value_median";

  function middle(): readonly [number, number] {
    if (!isMedian) {
      const value = values.at(rankOf(values.size));
      return [value, value];
    }
    return [values.at(Math.ceil(values.size / 2)), values.at(Math.floor(values.size / 2) + 1)];
  }

  return {
    enter: (member) => values.add(numberOf(member)),
    leave: (member) => values.remove(numberOf(member)),
    holds() {
      const [low, high] = middle();
      if (low === high) return holdsNumber(comparisons, (operand) => low - operand);
      const sum = createSum();
      sum.add(low);
      sum.add(high);
      return holdsNumber(comparisons, (operand) => sum.compare(operand, 2));
    },
    observe() {
      const [low, high] = middle();
      return { number: low === high ? low : (low + high) / 2 };
    },
  };
}

/** How many members of a window match each rule. */
function createRuleCounts({ refersTo }: Correlation) {
  const counts = refersTo.map(() => 0);
  const change = ({ rules }: Member, by: number) => {
    for (let index = 0; index < counts.length; index += 1) {
      if (matchesRule(rules, index)) counts[index] = (counts[index] ?? 0) + by;
    }
  };
  return {
    change,
    isSeen: (index: number) => (counts[index] ?? 0) > 0,
    observe: () => ({ seen: counts.flatMap((count, index) => (count > 0 ? [index] : [])) }),
  };
}

function createSeen(correlation: Correlation): Tally {
  const condition = seenOf(correlation);
  const counts = createRuleCounts(correlation);
  return {
    enter: (member) => counts.change(member, 1),
    leave: (member) => counts.change(member, -1),
    holds: () => holdsSeen(condition, counts.isSeen),
    observe: counts.observe,
  };
}

/** With negated rules, the chain must end at the position itself: from there on the silence is measured. */
function createOrdered(correlation: Correlation): Tally {
  const { positive, negated } = orderOf(correlation);
  const counts = createRuleCounts(correlation);
  const sequence = createSequence(positive);
  return {
    enter(member) {
      counts.change(member, 1);
      sequence.add(member.time, member.rules);
    },
    leave: (member) => counts.change(member, -1),
    holds: (from) => (negated.length > 0 ? sequence.latestStartEndingNow() : sequence.latestStart()) >= from,
    observe: counts.observe,
  };
}
