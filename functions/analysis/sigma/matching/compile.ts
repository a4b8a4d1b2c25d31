import type { Expression, Pattern, Test } from "../language/expression.ts";
import { fold, literalOf } from "../language/pattern.ts";
import { compilePattern, type TextMatcher } from "./text-matcher.ts";
import { compileField, someText, toText } from "./values.ts";

/** Answers whether an event's fields satisfy a detection. */
export type Predicate = (fields: object) => boolean;

/** Compiles a detection once, so that evaluating it parses nothing. */
export function compileExpression(expression: Expression): Predicate {
  switch (expression.kind) {
    case "and": {
      const parts = expression.of.map(compileExpression);
      return (fields) => parts.every((part) => part(fields));
    }
    case "or": {
      const parts = expression.of.map(compileExpression);
      return (fields) => parts.some((part) => part(fields));
    }
    case "not": {
      const inner = compileExpression(expression.of);
      return (fields) => !inner(fields);
    }
    case "named":
      return compileExpression(expression.of);
    case "null": {
      const read = compileField(expression.field);
      return (fields) => {
        const { present, values } = read(fields);
        return !present || values.includes(null);
      };
    }
    case "exists": {
      const read = compileField(expression.field);
      return (fields) => read(fields).present === expression.expected;
    }
    case "keywords": {
      const match = compilePatterns(expression.tests.flatMap((test) => patternOf(test, false)));
      return (fields) => someText(fields, (text) => match(text, fold(text)));
    }
    case "field":
      return compileFieldTests(expression);
    default:
      return expression satisfies never;
  }
}

type ValueTest = (value: unknown) => boolean;

/** An absent field passes no test. With `all`, different members of an array may pass different tests. */
function compileFieldTests({ field, linkage, tests }: Extract<Expression, { kind: "field" }>): Predicate {
  const read = compileField(field);
  if (linkage === "any") {
    const test = compileAny(tests);
    return (fields) => read(fields).values.some(test);
  }
  const each = tests.map((test) => compileAny([test]));
  return (fields) => {
    const { values } = read(fields);
    return each.every((test) => values.some(test));
  };
}

function compileAny(tests: readonly Test[]): ValueTest {
  const cased = compilePatterns(
    tests.flatMap((test) => patternOf(test, true)),
    true,
  );
  const folded = compilePatterns(tests.flatMap((test) => patternOf(test, false)));
  const compares = tests.flatMap((test) => (test.kind === "compare" ? [compileCompare(test)] : []));
  return (value) => {
    const text = toText(value);
    if (text === undefined) return false;
    return cased(text, text) || folded(text, fold(text)) || compares.some((compare) => compare(text));
  };
}

function patternOf(test: Test, cased: boolean): readonly Pattern[] {
  return test.kind === "pattern" && test.cased === cased ? [test.pattern] : [];
}

/** Whole texts are looked up in one set, however many there are; the others are tried in turn. */
function compilePatterns(patterns: readonly Pattern[], cased = false): TextMatcher {
  const literals = new Set<string>();
  const matchers: TextMatcher[] = [];
  for (const pattern of patterns) {
    const literal = literalOf(pattern);
    if (literal === undefined) matchers.push(compilePattern(pattern, cased));
    else literals.add(cased ? literal : fold(literal));
  }
  return (text, folded) => literals.has(folded) || matchers.some((match) => match(text, folded));
}

const comparisons = {
  lt: (value: number, operand: number) => value < operand,
  lte: (value: number, operand: number) => value <= operand,
  gt: (value: number, operand: number) => value > operand,
  gte: (value: number, operand: number) => value >= operand,
};

/** Numbers, and texts that are numbers, are compared; any other text is false. */
function compileCompare({
  operator,
  operand,
}: Extract<Test, { kind: "compare" }>): (text: string) => boolean {
  const compare = comparisons[operator];
  return (text) => text.trim() !== "" && compare(Number(text), operand);
}
