import type { Pattern, Test } from "../language/expression.ts";
import { fold, literalOf } from "../language/pattern.ts";
import { atomsOf } from "./atoms.ts";
import { compileNetwork } from "./cidr.ts";
import { regexOf } from "./regex.ts";
import { createScan } from "./scanner.ts";
import { foldedOf, type Subject, textOf } from "./subject.ts";
import { compilePattern } from "./text-matcher.ts";
import { partOfTime } from "./time-part.ts";
import { compileField, toText } from "./values.ts";

/** Whether a value passes; the event is needed only by tests that look at other fields too. */
export type ValueTest = (subject: Subject, fields: object) => boolean;

/** Compiles alternatives: any of them will do. Patterns without `cased` are folded already. */
export function compileTests(tests: readonly Test[]): ValueTest {
  const literals = new Set<string>();
  const cased = new Set<string>();
  const others: ValueTest[] = [];
  for (const test of tests) {
    const literal = test.kind === "pattern" ? literalOf(test.pattern) : undefined;
    if (literal === undefined) others.push(compileTest(test));
    else if (test.kind === "pattern" && test.cased) cased.add(literal);
    else literals.add(literal);
  }
  if (others.length > fewTests)
    others.splice(0, others.length, scanFor(tests.filter((test) => !isWhole(test))));
  if (literals.size > 0) others.unshift(lookUp(literals));
  if (cased.size > 0) others.unshift((subject) => cased.has(textOf(subject) ?? ""));
  const [first, second] = others;
  const test: ValueTest =
    first && !second
      ? first
      : (subject, fields) => {
          for (const other of others) if (other(subject, fields)) return true;
          return false;
        };
  return (subject, fields) => textOf(subject) !== undefined && test(subject, fields);
}

const nothing: object = {};

/** Up to so many alternatives are tried one after the other. */
const fewTests = 8;

function isWhole(test: Test): boolean {
  return test.kind === "pattern" && literalOf(test.pattern) !== undefined;
}

/** Many alternatives: one scan tells which of them can pass at all. */
function scanFor(tests: readonly Test[]): ValueTest {
  const atoms = tests.map(atomsOf);
  const each = tests.map(compileTest);
  const always = each.filter((_, i) => atoms[i]?.some(({ kind }) => kind === "any"));
  const scan = createScan(
    atoms.flatMap((of, i) =>
      of.flatMap((atom) =>
        atom.kind === "literal" ? [{ ...atom, item: (i << 1) | (atom.exact ? 1 : 0) }] : [],
      ),
    ),
  );
  let passed = false;
  let subject: Subject | undefined;
  let fields = nothing;
  const report = (item: number, exact: boolean) => {
    if (passed || !subject) return;
    passed = (exact && (item & 1) === 1) || (each[item >> 1]?.(subject, fields) ?? false);
  };
  return (asked, event) => {
    for (const test of always) if (test(asked, event)) return true;
    passed = false;
    subject = asked;
    fields = event;
    scan(textOf(asked) ?? "", report);
    subject = undefined;
    fields = nothing;
    return passed;
  };
}

/** Folding makes a new text, so the length is asked first; what is not ASCII may fold to another length. */
function lookUp(literals: ReadonlySet<string>): ValueTest {
  const lengths = new Uint8Array(256);
  let longest = 0;
  for (const { length } of literals) {
    lengths[length & 255] = 1;
    longest = Math.max(longest, length);
  }
  return (subject) => {
    const text = textOf(subject) ?? "";
    if (text.length > longest) return false;
    if (lengths[text.length & 255] === 0 && !foldsLonger(text)) return false;
    return literals.has(foldedOf(subject));
  };
}

/** `İ` is the only character whose lower case has another length; it is longer. */
function foldsLonger(text: string): boolean {
  return text.includes("\u0130");
}

function compileTest(test: Test): ValueTest {
  switch (test.kind) {
    case "pattern":
      return compilePatternTest(test.pattern, test.cased);
    case "regex": {
      const regex = regexOf(test);
      return (subject) => regex.test(textOf(subject) ?? "");
    }
    case "cidr": {
      const isInside = compileNetwork(test.bytes, test.prefix);
      return (subject) => isInside(textOf(subject) ?? "");
    }
    case "compare":
      return compileCompare(test);
    case "time":
      return compileTime(test);
    case "fieldref":
      return compileReference(test);
    case "any":
      return compileTests(test.of);
    default:
      return test satisfies never;
  }
}

function compilePatternTest(pattern: Pattern, cased: boolean): ValueTest {
  const match = compilePattern(pattern, cased);
  if (cased) return (subject) => match(textOf(subject) ?? "", textOf(subject) ?? "");
  return (subject) => match(textOf(subject) ?? "", foldedOf(subject));
}

const comparisons = {
  lt: (value: number, operand: number) => value < operand,
  lte: (value: number, operand: number) => value <= operand,
  gt: (value: number, operand: number) => value > operand,
  gte: (value: number, operand: number) => value >= operand,
  eq: (value: number, operand: number) => value === operand,
};

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Numbers, and texts that are decimal numbers, are compared; any other text is false. */
function compileCompare({ operator, operand }: Extract<Test, { kind: "compare" }>): ValueTest {
  const compare = comparisons[operator];
  return ({ value }) => {
    if (typeof value === "string") return decimal.test(value) && compare(Number(value), operand);
    return (typeof value === "number" || typeof value === "bigint") && compare(Number(value), operand);
  };
}

function compileTime({ part, operator, operand }: Extract<Test, { kind: "time" }>): ValueTest {
  const compare = comparisons[operator];
  return ({ value }) => {
    const number = partOfTime(value, part);
    return number !== undefined && compare(number, operand);
  };
}

const shapes = {
  equals: (text: string, part: string) => text === part,
  contains: (text: string, part: string) => text.includes(part),
  startswith: (text: string, part: string) => text.startsWith(part),
  endswith: (text: string, part: string) => text.endsWith(part),
};

/** Any value of the other field will do. */
function compileReference({ field, shape, cased }: Extract<Test, { kind: "fieldref" }>): ValueTest {
  const read = compileField(field);
  const compare = shapes[shape];
  return (subject, fields) => {
    const own = cased ? (textOf(subject) ?? "") : foldedOf(subject);
    return read(fields).values.some((value) => {
      const other = toText(value);
      return other !== undefined && compare(own, cased ? other : fold(other));
    });
  };
}
