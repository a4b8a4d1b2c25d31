import { type Description, parseDescription, requireEntry } from "./language/description.ts";
import { type Detection, parseDetection } from "./language/detection.ts";
import type { MapNode } from "./language/document.ts";
import type { Expression } from "./language/expression.ts";
import { type Logsource, parseLogsource } from "./language/logsource.ts";
import { RuleError } from "./language/problem.ts";

/** A Sigma rule: plain data, so that it can be packed as JSON. */
export interface Rule extends Description {
  readonly logsource: Logsource;
  /** The detection with its condition resolved, and with the filters that apply. */
  readonly detection: Expression;
  /** The ids of the filters in `detection`; left out when there are none. */
  readonly filters?: readonly string[] | undefined;
  /** Hash of the log source and the detection: unchanged by any edit that does not change what matches. */
  readonly revision: string;
  /** True when a correlation refers to the rule without `generate`: it then raises nothing by itself. */
  readonly silent: boolean;
}

/** A rule before the rule set knows who refers to it, what filters it and how to hash. */
export interface ParsedRule
  extends Omit<Rule, "revision" | "silent" | "filters">, Pick<Detection, "unused"> {}

/** Parses one rule document; throws RuleError. */
export function parseRule(document: MapNode, file: string): ParsedRule {
  const description = parseDescription(document, file);
  const logsource = parseLogsource(requireEntry(document, "logsource").value);
  const { value } = requireEntry(document, "detection");
  if (value.kind !== "map")
    throw new RuleError("RULE_DETECTION_INVALID", "'detection' must be a map.", value.at);
  const { expression, unused } = parseDetection(value);
  return { ...description, logsource, detection: expression, unused };
}
