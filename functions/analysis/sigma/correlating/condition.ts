import type { Correlation, CorrelationCondition, SeenCondition } from "../language/correlation.ts";
import { lastRuleBit } from "./member.ts";

type Comparisons = Extract<CorrelationCondition, { kind: "number" }>["comparisons"];
type Operator = Comparisons[number]["operator"];

/** Whether a number stands in a relation, told from how it compares: below 0, 0 or above 0. */
const relations: Readonly<Record<Operator, (order: number) => boolean>> = {
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
};

/** Whether all comparisons hold; `compare` tells how the number compares with an operand. */
export function holdsNumber(comparisons: Comparisons, compare: (operand: number) => number): boolean {
  return comparisons.every(({ operator, operand }) => relations[operator](compare(operand)));
}

export function comparisonsOf({ condition }: Pick<Correlation, "condition">): Comparisons {
  return condition.kind === "number" ? condition.comparisons : [];
}

/** Whether a count of members that only 0 satisfies is asked for: silence. */
export function isSilence({ type, condition }: Pick<Correlation, "type" | "condition">): boolean {
  if (type !== "event_count" || condition.kind !== "number") return false;
  const holds = (count: number) => holdsNumber(condition.comparisons, (operand) => count - operand);
  // Between two neighbouring operands nothing changes: whole numbers beside them stand for all others.
  const counts = condition.comparisons.flatMap(({ operand }) =>
    [-1, 0, 1].map((step) => Math.floor(operand) + step),
  );
  return holds(0) && ![1, ...counts.filter((count) => count > 0)].some(holds);
}

/** The rules a chain consists of, in order of the list, and those that must not follow it. */
export interface Order {
  readonly positive: readonly number[];
  readonly negated: readonly number[];
}

/** Reads the condition of a `temporal_ordered`: all that it names without `not`, in order of the list. */
export function orderOf({ condition, refersTo }: Pick<Correlation, "condition" | "refersTo">): Order {
  if (condition.kind === "number") return { positive: refersTo.map((_, index) => index), negated: [] };
  const named = { positive: new Set<number>(), negated: new Set<number>() };
  collect(condition.of, named, "positive");
  return { positive: ascending(named.positive), negated: ascending(named.negated) };
}

function ascending(indexes: ReadonlySet<number>): readonly number[] {
  return [...indexes].toSorted((a, b) => a - b);
}

function collect(seen: SeenCondition, into: Record<keyof Order, Set<number>>, side: keyof Order): void {
  if (seen.kind === "rule") into[side].add(seen.index);
  else if (seen.kind === "not") collect(seen.of, into, side === "positive" ? "negated" : "positive");
  else for (const part of seen.of) collect(part, into, side);
}

/** Whether a boolean condition holds for the rules seen. */
export function holdsSeen(seen: SeenCondition, isSeen: (index: number) => boolean): boolean {
  if (seen.kind === "rule") return isSeen(seen.index);
  if (seen.kind === "not") return !holdsSeen(seen.of, isSeen);
  if (seen.kind === "and") return seen.of.every((part) => holdsSeen(part, isSeen));
  return seen.of.some((part) => holdsSeen(part, isSeen));
}

/** What a `temporal` asks for: its condition, or all of the rules. */
export function seenOf({ condition, refersTo }: Pick<Correlation, "condition" | "refersTo">): SeenCondition {
  if (condition.kind === "seen") return condition.of;
  return { kind: "and", of: refersTo.map((_, index) => ({ kind: "rule", index })) };
}

export function hasNot(seen: SeenCondition): boolean {
  if (seen.kind === "rule") return false;
  return seen.kind === "not" || seen.of.some(hasNot);
}

/** More ways to satisfy a condition than this are not worth a question to the state. */
const maxTerms = 64;

/**
 * A condition without `not` as the sets of rules of which one must be seen completely (bit i = rule i);
 * undefined when there are too many of them.
 */
export function termsOf(seen: SeenCondition): readonly number[] | undefined {
  if (seen.kind === "not") return undefined;
  if (seen.kind === "rule") return [1 << Math.min(seen.index, lastRuleBit)];
  let terms: readonly number[] = seen.kind === "and" ? [0] : [];
  for (const part of seen.of) {
    const others = termsOf(part);
    if (!others) return undefined;
    const joined =
      seen.kind === "or" ? [...terms, ...others] : terms.flatMap((one) => others.map((other) => one | other));
    terms = withoutSupersets(joined);
    if (terms.length > maxTerms) return undefined;
  }
  return terms;
}

/** A set that holds another one adds nothing. */
function withoutSupersets(terms: readonly number[]): readonly number[] {
  const distinct = [...new Set(terms)];
  return distinct.filter((term) => !distinct.some((other) => other !== term && (term & other) === other));
}
