import type { CorrelationCondition, CorrelationType } from "./correlation.ts";
import type { MapEntry, MapNode } from "./document.ts";
import { type Position, RuleError } from "./problem.ts";

type NumberCondition = Extract<CorrelationCondition, { kind: "number" }>;
type NumberComparison = NumberCondition["comparisons"][number];
type Operator = NumberComparison["operator"];

const operators = ["gt", "gte", "lt", "lte", "eq", "neq"] as const;
const allowed: readonly string[] = [...operators, "field", "percentile"];

export interface Comparisons {
  readonly condition: NumberCondition;
  /** Only a window without events satisfies it. */
  readonly isSilence: boolean;
}

/**
 * Reads the comparisons of a correlation's condition; several are a range. Those of counts are written
 * with `gte` and `lte` from here on (`gt: 2` is `gte: 3`). What can never hold, and a count that always
 * does, is refused: it is not what anybody meant.
 */
export function parseComparisons(condition: MapNode, type: CorrelationType): Comparisons {
  const isCount = type === "event_count" || type === "value_count";
  const other = condition.entries.find(({ key }) => !allowed.includes(key));
  if (other) throw invalid(`'${other.key}' is none of ${allowed.join(", ")}`, other.keyAt);
  const comparisons = condition.entries.flatMap((entry) => {
    const operator = operators.find((name) => name === entry.key);
    return operator ? [normal(operator, operandOf(entry, isCount), isCount)] : [];
  });
  if (comparisons.length === 0)
    throw invalid(`'condition' must hold a comparison: ${operators.join(", ")}`, condition.at);
  const satisfies = (number: number) =>
    comparisons.every(({ operator, operand }) => relations[operator](number, operand));
  const candidates = candidatesOf(comparisons, type);
  if (!candidates.some(satisfies)) throw invalid("The condition can never hold", condition.at);
  if (isCount && [0, ...candidates].every(satisfies)) {
    throw invalid("The condition always holds, also of nothing", condition.at);
  }
  const isSilence = isCount && candidates.filter(satisfies).every((number) => number === 0);
  return { condition: { kind: "number", comparisons }, isSilence };
}

function operandOf({ key, value }: MapEntry, isCount: boolean): number {
  const written = value.kind === "scalar" ? value.value : null;
  const number = typeof written === "bigint" || typeof written === "number" ? Number(written) : Number.NaN;
  if (isCount && Number.isSafeInteger(number) && number >= 0) return number;
  if (!isCount && Number.isFinite(number)) return number;
  throw invalid(`'${key}' wants a ${isCount ? "whole number from 0 on" : "number"}`, value.at);
}

function normal(operator: Operator, operand: number, isCount: boolean): NumberComparison {
  if (isCount && operator === "gt") return { operator: "gte", operand: operand + 1 };
  if (isCount && operator === "lt") return { operator: "lte", operand: operand - 1 };
  return { operator, operand };
}

/**
 * Numbers among which one satisfies the comparisons if any number does: around every operand, and between
 * neighbouring ones. A window has one event at least, so only an `event_count` can be 0, for silence.
 */
function candidatesOf(comparisons: readonly NumberComparison[], type: CorrelationType): readonly number[] {
  const operands = comparisons.map(({ operand }) => operand).toSorted((a, b) => a - b);
  const around = operands.flatMap((operand) => [operand - 1, operand, operand + 1]);
  if (type !== "event_count" && type !== "value_count") {
    const between = operands.slice(1).map((operand, index) => (operand + (operands[index] ?? operand)) / 2);
    return [...around, ...between];
  }
  const least = type === "event_count" ? 0 : 1;
  return [least, ...around.filter((number) => number >= least)];
}

const relations: Readonly<Record<Operator, (number: number, operand: number) => boolean>> = {
  gt: (number, operand) => number > operand,
  gte: (number, operand) => number >= operand,
  lt: (number, operand) => number < operand,
  lte: (number, operand) => number <= operand,
  eq: (number, operand) => number === operand,
  neq: (number, operand) => number !== operand,
};

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}
