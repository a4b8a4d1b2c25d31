import type { Expression, Pattern, Test } from "../language/expression.ts";
import { holds, passes } from "./plain.ts";
import { compileField, someText, toText } from "./values.ts";

/** Why a rule holds for an event, or does not: plain data. */
export interface Explanation {
  readonly holds: boolean;
  /** The condition's search identifiers, in the order in which they are first met. */
  readonly selections: readonly ExplainedSelection[];
}

export interface ExplainedSelection {
  readonly name: string;
  readonly holds: boolean;
  readonly items: readonly ExplainedItem[];
}

/** One line of a selection. */
export interface ExplainedItem {
  /** Absent for keywords, which look at every value. */
  readonly field?: string;
  /** In words, such as `is like *\cmd.exe (or 3 more)`. */
  readonly asked: string;
  /** What the event holds there, as text, shortened; for keywords the values that pass. */
  readonly found: readonly string[];
  readonly present: boolean;
  readonly holds: boolean;
}

/** Tells for an event and a rule which selection holds, which does not, and what stood there. */
export function explain(rule: { readonly detection: Expression }, fields: object): Explanation {
  const named = new Map<string, Expression>();
  collectNamed(rule.detection, named);
  // A detection made by hand has no identifiers: it is then explained as a whole.
  if (named.size === 0) named.set("detection", rule.detection);
  const selections = [...named].map(([name, expression]) => ({
    name,
    holds: holds(expression, fields),
    items: itemsOf(expression).map((item) => explainItem(item, fields)),
  }));
  return { holds: holds(rule.detection, fields), selections };
}

function collectNamed(expression: Expression, into: Map<string, Expression>): void {
  if (expression.kind === "named") {
    if (!into.has(expression.name)) into.set(expression.name, expression.of);
  } else if (expression.kind === "not") collectNamed(expression.of, into);
  else if (expression.kind === "and" || expression.kind === "or") {
    for (const part of expression.of) collectNamed(part, into);
  }
}

type Item = Extract<Expression, { kind: "field" | "null" | "exists" | "keywords" }>;

/** The lines of a selection; what stands under `not` (`neq`) is shown as it is asked there, with its own answer. */
function itemsOf(expression: Expression, negated = false): readonly (readonly [Item, boolean])[] {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.of.flatMap((part) => itemsOf(part, negated));
    case "not":
      return itemsOf(expression.of, !negated);
    case "named":
      return itemsOf(expression.of, negated);
    case "null":
    case "exists":
    case "field":
    case "keywords":
      return [[expression, negated]];
    default:
      return expression satisfies never;
  }
}

function explainItem([item, negated]: readonly [Item, boolean], fields: object): ExplainedItem {
  const asked = `${negated ? "not: " : ""}${wordsOf(item)}`;
  const answer = holds(item, fields) !== negated;
  if (item.kind === "keywords") {
    const found = textsThatPass(item.tests, fields);
    return { asked, found, present: found.length > 0, holds: answer };
  }
  const { present, values } = compileField(item.field)(fields);
  const found = values.slice(0, mostFound).map((value) => shorten(toText(value) ?? "null"));
  return { field: item.field, asked, found, present, holds: answer };
}

const mostFound = 10;
const longestText = 200;

function shorten(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function textsThatPass(tests: readonly Test[], fields: object): readonly string[] {
  const found: string[] = [];
  someText(fields, (text) => {
    if (tests.some((test) => passes(test, text, fields))) found.push(shorten(text));
    return found.length >= mostFound;
  });
  return found;
}

function wordsOf(item: Item): string {
  switch (item.kind) {
    case "null":
      return "is absent or null";
    case "exists":
      return item.expected ? "is present" : "is absent";
    case "keywords":
      return `some value ${listOf(item.tests, "any")}`;
    case "field":
      return listOf(item.tests, item.linkage);
    default:
      return item satisfies never;
  }
}

const mostAsked = 5;

function listOf(tests: readonly Test[], linkage: "any" | "all"): string {
  const shown = tests.slice(0, mostAsked).map(wordsOfTest);
  const more = tests.length - shown.length;
  const words = shown.join(linkage === "any" ? " or " : " and ");
  return more > 0 ? `${words} (and ${more} more)` : words;
}

function wordsOfTest(test: Test): string {
  switch (test.kind) {
    case "pattern":
      return `is like ${shorten(writePattern(test.pattern))}${test.cased ? " (cased)" : ""}`;
    case "regex":
      return `has /${shorten(test.source)}/${test.flags}`;
    case "cidr":
      return `is an address of a network of ${test.prefix} bits`;
    case "compare":
      return `${test.operator} ${test.operand}`;
    case "time":
      return `${test.part} ${test.operator} ${test.operand}`;
    case "fieldref":
      return `${test.shape} the field ${test.field}`;
    case "any":
      return `(${listOf(test.of, "any")})`;
    default:
      return test satisfies never;
  }
}

/** As it is written in a rule. */
function writePattern(pattern: Pattern): string {
  return pattern
    .map((part) => {
      if (typeof part === "object") return part.literal.replaceAll(/[*?]|\\(?=[*?\\]|$)/g, String.raw`\$&`);
      return part === "many" ? "*" : "?";
    })
    .join("");
}
