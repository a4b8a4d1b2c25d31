import type { Node } from "./document.ts";
import { RuleError } from "./problem.ts";

/**
 * The class of log a rule is written for. Beside Sigma's three attributes a rule may state others (custom
 * keys such as `vendor`); all of them are lower case, and all of them must be asserted by an event's.
 */
export interface Logsource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
  readonly [custom: string]: string | undefined;
}

interface StandardLogsource {
  readonly product?: string | undefined;
  /** One or several: an sshd line may be both `authentication` and `network_connection`. */
  readonly category?: string | readonly string[] | undefined;
  readonly service?: string | undefined;
}

/** The class of log an event belongs to: what it asserts, in any case; custom attributes are texts. */
export type EventLogsource =
  | StandardLogsource
  | (StandardLogsource & { readonly [custom: string]: string | readonly string[] | undefined });

const logsourceAttributes = ["product", "category", "service"] as const;

/** Says something about the log, but takes no part in choosing it. */
const definition = "definition";

/**
 * Reads a rule's log source (Sigma specification, log source). It must state at least one of product,
 * category and service; values are lower case from here on, and an attribute without a value is none.
 */
export function parseLogsource(node: Node): Logsource {
  if (node.kind !== "map") throw invalid("'logsource' must be a map", node);
  const stated = node.entries
    .filter(({ key }) => key !== definition)
    .flatMap(({ key, value }): readonly (readonly [string, string])[] => {
      if (value.kind === "scalar" && value.value === null) return [];
      if (value.kind !== "scalar" || value.value === "") throw invalid(`'${key}' must be a text`, value);
      return [[key, String(value.value).toLowerCase()]];
    });
  if (stated.some(([key]) => logsourceAttributes.some((name) => name === key))) {
    return Object.fromEntries(stated);
  }
  throw invalid(`'logsource' must state at least one of ${logsourceAttributes.join(", ")}`, node);
}

function invalid(message: string, { at }: Node): RuleError {
  return new RuleError("RULE_LOGSOURCE_INVALID", `${message}.`, at);
}
