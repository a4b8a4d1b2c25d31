import type { Expression, Pattern, Test } from "../language/expression.ts";
import { fold } from "../language/pattern.ts";
import { isInNetwork, isPartOfTime, isRegexFound } from "./plain-values.ts";
import { compileField, someText, toText } from "./values.ts";

/**
 * Whether an event satisfies a detection: the definition in the plainest code, which reads the tree anew
 * for every event. Rules are matched by the index beside it; this one explains and is what the index is
 * tested against, so the two share nothing but how a field is found (`values.ts`) and how case is folded.
 */
export function holds(expression: Expression, fields: object): boolean {
  switch (expression.kind) {
    case "and":
      return expression.of.every((part) => holds(part, fields));
    case "or":
      return expression.of.some((part) => holds(part, fields));
    case "not":
      return !holds(expression.of, fields);
    case "named":
      return holds(expression.of, fields);
    case "null": {
      const { present, values } = compileField(expression.field)(fields);
      return !present || values.includes(null);
    }
    case "exists":
      return compileField(expression.field)(fields).present === expression.expected;
    case "keywords":
      return expression.tests.some((test) => someText(fields, (text) => passes(test, text, fields)));
    case "field": {
      const { values } = compileField(expression.field)(fields);
      const passed = expression.tests.map((test) => values.some((value) => passes(test, value, fields)));
      return expression.linkage === "any" ? passed.some(Boolean) : passed.every(Boolean);
    }
    default:
      return expression satisfies never;
  }
}

/** Whether one value of the event passes one test. */
export function passes(test: Test, value: unknown, fields: object): boolean {
  const text = toText(value);
  if (text === undefined) return false;
  switch (test.kind) {
    case "pattern":
      return isLike(test.pattern, text, test.cased);
    case "regex":
      return isRegexFound(test, text);
    case "cidr":
      return isInNetwork(test, text);
    case "compare":
      return isNumber(value) && compares(test.operator, Number(text), test.operand);
    case "time":
      return isPartOfTime(test, value, compares);
    case "fieldref":
      return compileField(test.field)(fields).values.some((other) => refersTo(test, text, toText(other)));
    case "any":
      return test.of.some((one) => passes(one, value, fields));
    default:
      return test satisfies never;
  }
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Numbers, and texts that are decimal numbers. */
function isNumber(value: unknown): boolean {
  if (typeof value === "string") return decimal.test(value);
  return typeof value === "number" || typeof value === "bigint";
}

function compares(operator: "lt" | "lte" | "gt" | "gte" | "eq", value: number, operand: number): boolean {
  switch (operator) {
    case "lt":
      return value < operand;
    case "lte":
      return value <= operand;
    case "gt":
      return value > operand;
    case "gte":
      return value >= operand;
    case "eq":
      return value === operand;
    default:
      return operator satisfies never;
  }
}

function refersTo(
  { shape, cased }: Extract<Test, { kind: "fieldref" }>,
  own: string,
  other: string | undefined,
): boolean {
  if (other === undefined) return false;
  const [text, part] = cased ? [own, other] : [fold(own), fold(other)];
  switch (shape) {
    case "equals":
      return text === part;
    case "contains":
      return text.includes(part);
    case "startswith":
      return text.startsWith(part);
    case "endswith":
      return text.endsWith(part);
    default:
      return shape satisfies never;
  }
}

/**
 * All places the pattern can have come to, part by part, in ascending order. `one` is one character as it stood in the event,
 * whatever length folding gives it, and never a part of one.
 */
function isLike(pattern: Pattern, original: string, cased: boolean): boolean {
  const prepare = cased ? (text: string) => text : fold;
  const text = prepare(original);
  const afterCharacter = new Map<number, number>();
  let end = 0;
  for (const character of original) {
    const start = end;
    end += prepare(character).length;
    afterCharacter.set(start, end);
  }
  let places = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    const [first = text.length + 1] = places;
    if (part === "many") for (let i = first; i <= text.length; i += 1) next.add(i);
    for (const place of places) {
      if (part === "many") break;
      if (part === "one") next.add(afterCharacter.get(place) ?? -1);
      else if (text.startsWith(prepare(part.literal), place)) next.add(place + prepare(part.literal).length);
    }
    next.delete(-1);
    places = next;
  }
  return places.has(text.length);
}
