import { type MapEntry, type MapNode, type Node, type ListNode } from "./document.ts";
import { createResolver, type Searches } from "./condition.ts";
import { requireEntry } from "./description.ts";
import { combine } from "./combine.ts";
import type { Expression } from "./expression.ts";
import { parseBareKeywords, parseItem } from "./item.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";

/** A detection with its condition resolved. */
export interface Detection {
  readonly expression: Expression;
  /** Identifiers the condition does not use. */
  readonly unused: readonly { readonly name: string; readonly at: Position }[];
}

/** Reads a map of search identifiers with a `condition`; keys of `others` are not identifiers. */
export function parseDetection(map: MapNode, others: readonly string[] = []): Detection {
  const condition = requireEntry(map, "condition");
  const identifiers = map.entries.filter(({ key }) => key !== "condition" && !others.includes(key));
  const resolver = createResolver(parseSearches(identifiers, map.at));
  const expression = combine("or", resolver.resolve(condition.value));
  const unused = identifiers
    .filter(({ key }) => !resolver.used.has(key))
    .map(({ key, keyAt }) => ({ name: key, at: keyAt }));
  return { expression, unused };
}

function parseSearches(identifiers: readonly MapEntry[], at: Position): Searches {
  const searches = new Map<string, Expression>();
  if (identifiers.length > limits.identifiersPerDetection) {
    const message = `More than ${limits.identifiersPerDetection} identifiers in one detection.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, at);
  }
  for (const { key, keyAt, value } of identifiers) {
    if (key === "timeframe") {
      const message = "'timeframe' left Sigma; use a correlation document.";
      throw new RuleError("RULE_CONDITION_UNSUPPORTED", message, keyAt);
    }
    searches.set(key, parseSearch(value));
  }
  if (searches.size > 0) return searches;
  throw new RuleError("RULE_DETECTION_INVALID", "There is no search identifier beside 'condition'.", at);
}

/** A search identifier's value (Sigma specification, detection): maps AND, lists OR, bare values keywords. */
function parseSearch(node: Node): Expression {
  switch (node.kind) {
    case "scalar":
      return parseBareKeywords([node]);
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
    throw new RuleError("RULE_DETECTION_INVALID", "An empty list matches nothing.", list.at);
  const scalars = list.items.filter((item) => item.kind === "scalar");
  const parts = list.items.filter((item) => item.kind !== "scalar").map(parseSearch);
  if (scalars.length > 0) parts.push(parseBareKeywords(scalars));
  return combine("or", parts);
}

function parseMap(map: MapNode): Expression {
  if (map.entries.length === 0)
    throw new RuleError("RULE_DETECTION_INVALID", "An empty map matches everything.", map.at);
  return combine("and", map.entries.map(parseItem));
}
