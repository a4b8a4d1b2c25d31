import { combine } from "./combine.ts";
import type { MapEntry, Node, ScalarNode } from "./document.ts";
import type { Expression, Test } from "./expression.ts";
import { type Modifiers, parseModifiers } from "./modifiers.ts";
import { type Position, RuleError } from "./problem.ts";
import { shapePattern } from "./text-value.ts";
import { parseValue, type ValueReading } from "./value.ts";

/** `field|modifier|modifier: value or list`; without a field, keywords. */
export function parseItem({ key, keyAt, value }: MapEntry): Expression {
  const [field = "", ...names] = key.split("|");
  const modifiers = parseModifiers(names, { key, at: keyAt });
  const item = { key, at: keyAt, values: scalarsOf(value, key), modifiers };
  const expression = field === "" ? parseKeywords(item) : parseField(field, item);
  return modifiers.negated ? { kind: "not", of: expression } : expression;
}

interface Item {
  readonly key: string;
  readonly at: Position;
  readonly values: readonly ScalarNode[];
  readonly modifiers: Modifiers;
}

function parseField(field: string, item: Item): Expression {
  const { key, values, modifiers } = item;
  const { linkage, reading } = modifiers;
  if (reading.kind === "exists") return { kind: "exists", field, expected: booleanOf(item) };
  if (values.every(({ value }) => value === null)) return parseNull(field, item);
  const tests = values.map((node) => parseValue(node, reading, key));
  return {
    kind: "field",
    field,
    linkage,
    tests: linkage === "any" ? tests.flat() : tests.flatMap(asOne),
  };
}

/** Under `all` every written value must be found, and any of its alternatives finds it. */
function asOne(alternatives: readonly Test[]): readonly Test[] {
  return alternatives.length > 1 ? [{ kind: "any", of: alternatives }] : alternatives;
}

/** An empty list means null, as a single null does; null among other values has no defined meaning. */
function parseNull(field: string, { key, at, values, modifiers }: Item): Expression {
  const { linkage, reading } = modifiers;
  const isPlain =
    reading.kind === "text" && reading.steps.length === 0 && !reading.cased && linkage === "any";
  if (isPlain && values.length <= 1) return { kind: "null", field };
  throw invalid(`Null is no value for '${key}'; it stands alone, and takes no modifier but neq`, at);
}

function booleanOf({ key, at, values }: Item): boolean {
  const [first] = values;
  if (values.length === 1 && typeof first?.value === "boolean") return first.value;
  throw invalid(`'${key}' wants true or false`, at);
}

const keywordReading: ValueReading = { kind: "text", steps: ["contains"], cased: false };

/** Bare values of a list: texts that occur anywhere in the event's values. */
export function parseBareKeywords(values: readonly ScalarNode[]): Expression {
  return {
    kind: "keywords",
    tests: values.flatMap((node) => keywordTests(node, keywordReading, "keywords")),
  };
}

/** `'|all': [...]`, `'|re': ...`: keywords with modifiers; under `all` each may be met by another field. */
function parseKeywords({ key, at, values, modifiers }: Item): Expression {
  const { linkage, reading } = modifiers;
  if (reading.kind !== "text" && reading.kind !== "regex") {
    const message = `Keywords are texts or regular expressions; '${key}' needs a field.`;
    throw new RuleError("RULE_MODIFIER_INVALID", message, at);
  }
  if (values.length === 0) throw invalid(`'${key}' has no keyword`, at);
  const parts = values.map((node) => keywordTests(node, reading, key));
  if (linkage === "any") return { kind: "keywords", tests: parts.flat() };
  return combine(
    "and",
    parts.map((tests) => ({ kind: "keywords", tests })),
  );
}

/** Without a modifier that says where, a keyword is looked for anywhere in a value. */
function keywordTests(node: ScalarNode, reading: ValueReading, key: string): readonly Test[] {
  if (node.value === null) throw invalid("Null is no keyword", node.at);
  const tests = parseValue(node, reading, key);
  const isPlaced =
    reading.kind !== "text" ||
    reading.steps.some((step) => step === "contains" || step === "startswith" || step === "endswith");
  if (isPlaced) return tests;
  return tests.map((test) =>
    test.kind === "pattern" ? { ...test, pattern: shapePattern(test.pattern, "contains") } : test,
  );
}

function scalarsOf(value: Node, key: string): readonly ScalarNode[] {
  if (value.kind === "scalar") return [value];
  if (value.kind === "map") {
    throw invalid(`The value of '${key}' is a map; write a nested field with dots, 'outer.inner'`, value.at);
  }
  return value.items.map((item) => {
    if (item.kind === "scalar") return item;
    throw invalid(`The list of '${key}' may hold plain values only`, item.at);
  });
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("RULE_VALUE_INVALID", `${message}.`, at);
}
