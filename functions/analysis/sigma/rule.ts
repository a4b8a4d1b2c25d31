import { parseCondition, type Searches } from "./language/condition.ts";
import { combine, parseSearch } from "./language/detection.ts";
import { type Description, parseDescription, requireEntry } from "./language/description.ts";
import type { MapEntry, MapNode, Node, ScalarNode } from "./language/document.ts";
import type { Expression } from "./language/expression.ts";
import { type Logsource, parseLogsource } from "./language/logsource.ts";
import { type Position, RuleError } from "./language/problem.ts";

/** A Sigma rule: plain data, so that it can be packed as JSON. */
export interface Rule extends Description {
  readonly logsource: Logsource;
  /** The detection with its condition resolved. */
  readonly detection: Expression;
  /** Hash of the log source and the detection: unchanged by any edit that does not change what matches. */
  readonly revision: string;
  /** True when a correlation refers to the rule without `generate`: it then raises nothing by itself. */
  readonly silent: boolean;
}

/** A rule before the rule set knows who refers to it and how to hash. */
export interface ParsedRule extends Omit<Rule, "revision" | "silent"> {
  /** Identifiers the condition does not use. */
  readonly unused: readonly { readonly name: string; readonly at: Position }[];
}

/** Parses one rule document; throws RuleError. */
export function parseRule(document: MapNode, file: string): ParsedRule {
  const description = parseDescription(document, file);
  const logsource = parseLogsource(requireEntry(document, "logsource").value);
  const { detection, unused } = parseDetection(requireEntry(document, "detection"));
  return { ...description, logsource, detection, unused };
}

function parseDetection({ value }: MapEntry): Pick<ParsedRule, "detection" | "unused"> {
  if (value.kind !== "map")
    throw new RuleError("RULE_DETECTION_INVALID", "'detection' must be a map.", value.at);
  const condition = requireEntry(value, "condition").value;
  const identifiers = value.entries.filter(({ key }) => key !== "condition");
  const searches = parseSearches(identifiers, value.at);
  const used = new Set<string>();
  const conditions = conditionsOf(condition).map((node) => parseCondition(node, searches, used));
  const unused = identifiers
    .filter(({ key }) => !used.has(key))
    .map(({ key, keyAt }) => ({ name: key, at: keyAt }));
  return { detection: combine("or", conditions), unused };
}

function parseSearches(identifiers: readonly MapEntry[], at: Position): Searches {
  const searches = new Map<string, Expression>();
  for (const { key, keyAt, value } of identifiers) {
    if (key === "timeframe") {
      const instead = "use a correlation document";
      throw new RuleError("RULE_CONDITION_UNSUPPORTED", `'timeframe' left Sigma; ${instead}.`, keyAt);
    }
    searches.set(key, parseSearch(value));
  }
  if (searches.size > 0) return searches;
  throw new RuleError("RULE_DETECTION_INVALID", "'detection' has no identifier.", at);
}

/** One condition, or a list of which any may hold. */
function conditionsOf(node: Node): readonly ScalarNode[] {
  const nodes = node.kind === "list" ? node.items : [node];
  const texts = nodes.filter((item) => item.kind === "scalar");
  if (
    nodes.length > 0 &&
    texts.length === nodes.length &&
    texts.every(({ value }) => typeof value === "string")
  ) {
    return texts;
  }
  throw new RuleError("RULE_CONDITION_INVALID", "'condition' must be a text or a list of texts.", node.at);
}
