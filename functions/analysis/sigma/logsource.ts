import type { Node } from "./document.ts";
import { RuleError } from "./problem.ts";

/** The class of log a rule is written for, or an event belongs to. */
export interface Logsource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
}

const attributes = ["product", "category", "service"] as const;
type Attribute = (typeof attributes)[number];

/** Reads a rule's log source; it must state at least one attribute. Values are lower case from here on. */
export function parseLogsource(node: Node): Logsource {
  if (node.kind !== "map") {
    throw new RuleError("RULE_LOGSOURCE_INVALID", "'logsource' must be a map.", node.at);
  }
  const logsource: Partial<Record<Attribute, string>> = {};
  for (const { key, keyAt, value } of node.entries) {
    const attribute = attributes.find((name) => name === key);
    if (key === "definition") continue;
    if (!attribute) {
      // Ignoring it would apply the rule to events it was not written for.
      const message = `'${key}' is not supported; expected one of ${attributes.join(", ")}.`;
      throw new RuleError("RULE_LOGSOURCE_INVALID", message, keyAt);
    }
    if (value.kind !== "scalar" || typeof value.value !== "string" || value.value === "") {
      throw new RuleError("RULE_LOGSOURCE_INVALID", `'${key}' must be a text.`, value.at);
    }
    logsource[attribute] = value.value.toLowerCase();
  }
  if (Object.keys(logsource).length > 0) return logsource;
  throw new RuleError("RULE_LOGSOURCE_INVALID", `State at least one of ${attributes.join(", ")}.`, node.at);
}

/** Finds what is filed under the log sources that apply to an event's. */
export interface LogsourceIndex<Item> {
  /** Everything whose every stated attribute the event's log source asserts. At most 7 look-ups. */
  applicable(logsource: Logsource): readonly (readonly Item[])[];
}

/** Files items by the log source they state. */
export function indexByLogsource<Item extends { readonly logsource: Logsource }>(
  items: readonly Item[],
): LogsourceIndex<Item> {
  const byKey = Map.groupBy(items, ({ logsource }) => keyOf(logsource));
  return {
    applicable(logsource) {
      return subsetsOf(normalise(logsource)).flatMap((subset) => {
        const group = byKey.get(keyOf(subset));
        return group ? [group] : [];
      });
    },
  };
}

function normalise(logsource: Logsource): Logsource {
  const stated = attributes.flatMap((name) => {
    const value = logsource[name];
    return typeof value === "string" && value !== "" ? [[name, value.toLowerCase()] as const] : [];
  });
  return Object.fromEntries(stated);
}

/** Every way to state one or more of the attributes an event's log source has. */
function subsetsOf(logsource: Logsource): readonly Logsource[] {
  let subsets: readonly Logsource[] = [{}];
  for (const name of attributes) {
    const value = logsource[name];
    if (value === undefined) continue;
    subsets = subsets.flatMap((subset) => [subset, { ...subset, [name]: value }]);
  }
  return subsets.slice(1);
}

function keyOf({ product, category, service }: Logsource): string {
  return JSON.stringify([product ?? null, category ?? null, service ?? null]);
}
