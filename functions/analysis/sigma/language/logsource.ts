import type { Node } from "./document.ts";
import { RuleError } from "./problem.ts";

/** The class of log a rule is written for, or an event belongs to. */
export interface Logsource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
}

export const logsourceAttributes = ["product", "category", "service"] as const;
type Attribute = (typeof logsourceAttributes)[number];

/** Reads a rule's log source; it must state at least one attribute. Values are lower case from here on. */
export function parseLogsource(node: Node): Logsource {
  if (node.kind !== "map") {
    throw new RuleError("RULE_LOGSOURCE_INVALID", "'logsource' must be a map.", node.at);
  }
  const logsource: Partial<Record<Attribute, string>> = {};
  for (const { key, keyAt, value } of node.entries) {
    const attribute = logsourceAttributes.find((name) => name === key);
    if (key === "definition") continue;
    if (!attribute) {
      // Ignoring it would apply the rule to events it was not written for.
      const message = `'${key}' is not supported; expected one of ${logsourceAttributes.join(", ")}.`;
      throw new RuleError("RULE_LOGSOURCE_INVALID", message, keyAt);
    }
    if (value.kind !== "scalar" || typeof value.value !== "string" || value.value === "") {
      throw new RuleError("RULE_LOGSOURCE_INVALID", `'${key}' must be a text.`, value.at);
    }
    logsource[attribute] = value.value.toLowerCase();
  }
  if (Object.keys(logsource).length > 0) return logsource;
  throw new RuleError(
    "RULE_LOGSOURCE_INVALID",
    `State at least one of ${logsourceAttributes.join(", ")}.`,
    node.at,
  );
}
