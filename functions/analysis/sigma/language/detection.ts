import type { ListNode, MapEntry, MapNode, Node, ScalarNode } from "./document.ts";
import type { Expression, Test } from "./expression.ts";
import { type Modifiers, parseModifiers, shapePattern } from "./modifiers.ts";
import { parsePattern } from "./pattern.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";

/** A search identifier's value (Sigma specification, detection): maps AND, lists OR, bare values keywords. */
export function parseSearch(node: Node): Expression {
  switch (node.kind) {
    case "scalar":
      return keywords([node], "any");
    case "map":
      return parseMap(node);
    case "list":
      return parseList(node);
    default:
      return node satisfies never;
  }
}

function parseList(list: ListNode): Expression {
  if (list.items.length === 0)
    throw refuse("RULE_DETECTION_INVALID", "An empty list matches nothing.", list.at);
  const scalars = list.items.filter((item) => item.kind === "scalar");
  const others = list.items.filter((item) => item.kind !== "scalar");
  const parts = others.map(parseSearch);
  if (scalars.length > 0) parts.push(keywords(scalars, "any"));
  return combine("or", parts);
}

function parseMap(map: MapNode): Expression {
  if (map.entries.length === 0)
    throw refuse("RULE_DETECTION_INVALID", "An empty map matches everything.", map.at);
  return combine("and", map.entries.map(parseItem));
}

/** One expression stands for itself, several are linked. */
export function combine(kind: "and" | "or", of: readonly Expression[]): Expression {
  const [first] = of;
  return first !== undefined && of.length === 1 ? first : { kind, of };
}

/** `field|modifier|modifier: value or list`. */
function parseItem({ key, keyAt, value }: MapEntry): Expression {
  const [field = "", ...names] = key.split("|");
  const modifiers = parseModifiers(names, `'${key}'`, keyAt);
  const values = scalarsOf(value, key);
  if (field === "") return parseKeywordItem(values, modifiers, keyAt);
  if (modifiers.exists) return { kind: "exists", field, expected: booleanOf(values, key, keyAt) };
  if (values.every(({ value: scalar }) => scalar === null))
    return parseNull(field, values, { modifiers, key, keyAt });
  const tests = values.map((scalar) => parseTest(scalar, modifiers, key));
  return { kind: "field", field, linkage: modifiers.linkage, tests };
}

/** An empty list means null, as a single null does; null among other values has no defined meaning. */
function parseNull(
  field: string,
  values: readonly ScalarNode[],
  {
    modifiers,
    key,
    keyAt,
  }: { readonly modifiers: Modifiers; readonly key: string; readonly keyAt: Position },
): Expression {
  if (modifiers.shape !== "equals" || modifiers.compare || modifiers.cased || values.length > 1) {
    throw refuse("RULE_VALUE_INVALID", `Null is no value for '${key}'.`, keyAt);
  }
  return { kind: "null", field };
}

/** `'|all': [...]`: keywords that must all occur, each in any field. */
function parseKeywordItem(values: readonly ScalarNode[], modifiers: Modifiers, at: Position): Expression {
  const { linkage, ...others } = modifiers;
  if (others.shape !== "equals" || others.exists || others.compare || others.cased) {
    throw refuse("RULE_MODIFIER_INVALID", "Keywords take no modifier but 'all'.", at);
  }
  return keywords(values, linkage);
}

function keywords(values: readonly ScalarNode[], linkage: "any" | "all"): Expression {
  const tests = values.map(({ value, at }) => {
    if (value === null) throw refuse("RULE_VALUE_INVALID", "Null is no keyword.", at);
    const pattern = shapePattern(parsePattern(String(value)), "contains");
    return { kind: "pattern", pattern, cased: false } as const;
  });
  if (linkage === "any") return { kind: "keywords", tests };
  return combine(
    "and",
    tests.map((test) => ({ kind: "keywords", tests: [test] })),
  );
}

function parseTest({ value, at }: ScalarNode, modifiers: Modifiers, key: string): Test {
  if (value === null) throw refuse("RULE_VALUE_INVALID", `Null in the list of '${key}'.`, at);
  if (modifiers.compare === undefined) {
    const pattern = shapePattern(parsePattern(String(value)), modifiers.shape);
    return { kind: "pattern", pattern, cased: modifiers.cased };
  }
  const operand = typeof value === "boolean" || value === "" ? Number.NaN : Number(value);
  if (!Number.isFinite(operand)) {
    throw refuse("RULE_VALUE_INVALID", `'${key}' compares numbers, and '${String(value)}' is none.`, at);
  }
  return { kind: "compare", operator: modifiers.compare, operand };
}

function scalarsOf(value: Node, key: string): readonly ScalarNode[] {
  if (value.kind === "scalar") return [value];
  if (value.kind === "map") {
    const hint = "write a nested field with dots, 'outer.inner'";
    throw refuse("RULE_VALUE_INVALID", `The value of '${key}' is a map; ${hint}.`, value.at);
  }
  return value.items.map((item) => {
    if (item.kind === "scalar") return item;
    throw refuse("RULE_VALUE_INVALID", `The list of '${key}' may hold plain values only.`, item.at);
  });
}

function booleanOf(values: readonly ScalarNode[], key: string, at: Position): boolean {
  const [first] = values;
  if (values.length === 1 && typeof first?.value === "boolean") return first.value;
  throw refuse("RULE_VALUE_INVALID", `'${key}' wants true or false.`, at);
}

function refuse(code: RuleProblemCode, message: string, at: Position): RuleError {
  return new RuleError(code, message, at);
}
