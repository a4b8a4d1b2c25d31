import { parseNetwork } from "./cidr.ts";
import type { ScalarNode, ScalarValue } from "./document.ts";
import type { Test, TimePart } from "./expression.ts";
import { limits } from "./limits.ts";
import type { Reading } from "./modifiers.ts";
import { parseRegex } from "./regex.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";
import { type Place, refusePlaceholders, textPatterns } from "./text-value.ts";

/** How a value is read; `exists` has none of its own. */
export type ValueReading = Exclude<Reading, { kind: "exists" }>;

/** What one written value of an item asks; several tests are alternatives, any of which will do. */
export function parseValue(node: ScalarNode, reading: ValueReading, key: string): readonly Test[] {
  const place = { key, at: node.at };
  const text = textOf(node, place);
  switch (reading.kind) {
    case "text":
      return parseText(node, reading, place);
    case "regex": {
      if (reading.expand) refusePlaceholders(text, place);
      return [parseRegex(text, { ...reading, at: node.at })];
    }
    case "cidr": {
      const network = parseNetwork(text);
      if (typeof network === "object") return [{ kind: "cidr", ...network }];
      throw refuse("RULE_VALUE_INVALID", `'${text}' in '${key}' is ${network}.`, node.at);
    }
    case "compare":
      return [{ kind: "compare", operator: reading.operator, operand: numberOf(node.value, place) }];
    case "time":
      return [parseTime(node.value, reading, place)];
    case "fieldref":
      if (text === "") throw refuse("RULE_VALUE_INVALID", `'${key}' names no field.`, node.at);
      return [{ kind: "fieldref", field: text, shape: reading.shape, cased: reading.cased }];
    default:
      return reading satisfies never;
  }
}

function parseText(
  node: ScalarNode,
  { steps, cased }: Extract<Reading, { kind: "text" }>,
  place: Place,
): readonly Test[] {
  const written = node.written ?? String(node.value);
  // A number is compared as JSON writes it, and as the rule does: `1.10` finds 1.1 and "1.10".
  const texts = steps.length === 0 ? [...new Set([String(node.value), written])] : [written];
  return texts
    .flatMap((text) => textPatterns(text, steps, place))
    .map((pattern) => ({ kind: "pattern", pattern, cased }));
}

function textOf({ value, written }: ScalarNode, { key, at }: Place): string {
  if (value === null) throw refuse("RULE_VALUE_INVALID", `Null in the list of '${key}'.`, at);
  const text = written ?? String(value);
  if (text.length <= limits.valueCharacters) return text;
  const message = `A value of '${key}' has more than ${limits.valueCharacters} characters.`;
  throw refuse("RULE_LIMIT_EXCEEDED", message, at);
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A number, also one in quotes; beyond 2^53 integers are no longer told apart, so those are refused. */
function numberOf(value: ScalarValue, { key, at }: Place): number {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const number = isNumber || (typeof value === "string" && decimal.test(value)) ? Number(value) : Number.NaN;
  if (!Number.isFinite(number))
    throw refuse("RULE_VALUE_INVALID", `'${key}' compares numbers, and '${String(value)}' is none.`, at);
  if (!Number.isInteger(number) || Number.isSafeInteger(number)) return number;
  throw refuse(
    "RULE_VALUE_INVALID",
    `'${String(value)}' in '${key}' is too large to be compared exactly.`,
    at,
  );
}

const timeRanges: Readonly<Record<TimePart, readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [0, 9999],
};

/** Equality with what never comes is refused; a bound may stand one beside the range (`hour|lt: 24`). */
function parseTime(
  value: ScalarValue,
  { part, operator }: Extract<Reading, { kind: "time" }>,
  place: Place,
): Test {
  const beside = operator === "eq" ? 0 : 1;
  const [least, most] = timeRanges[part];
  const operand = numberOf(value, place);
  if (Number.isInteger(operand) && operand >= least - beside && operand <= most + beside)
    return { kind: "time", part, operator, operand };
  const message = `'${place.key}' wants a whole number from ${least} to ${most}, not '${String(value)}'.`;
  throw refuse("RULE_VALUE_INVALID", message, place.at);
}

function refuse(code: RuleProblemCode, message: string, at: Position): RuleError {
  return new RuleError(code, message, at);
}
