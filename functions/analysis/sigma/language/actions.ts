import { entryOf, type MapEntry, type MapNode, type Node } from "./document.ts";
import { limits } from "./limits.ts";
import { RuleError } from "./problem.ts";

/** What `action` of the documents before says about the next one; of one file only. */
export interface Actions {
  /** The document to be read, or `undefined` for one that is only there for others; throws RuleError. */
  next(document: MapNode): MapNode | undefined;
}

/**
 * Sigma's `action` (left out of specification 2, still in use): `global` gives its keys to the rules that
 * follow in the file, `reset` ends that, `repeat` is the rule before with some keys changed. What a rule
 * says itself counts more than what was given to it. Correlations and filters take no part.
 */
export function createActions(): Actions {
  let given: MapNode | undefined;
  let previous: MapNode | undefined;
  let repeated = 0;
  return {
    next(document) {
      const action = entryOf(document, "action");
      if (entryOf(document, "correlation") || entryOf(document, "filter")) {
        if (action) throw unknown(action, "correlations and filters have no action");
        return document;
      }
      const own = without(document, "action");
      if (!action) return (previous = given ? inherit(given, own) : own);
      switch (nameOf(action)) {
        case "global":
          given = own;
          previous = undefined;
          return undefined;
        case "reset":
          given = undefined;
          return undefined;
        case "repeat":
          if (!previous) throw unknown(action, "there is no rule before it to repeat");
          return (previous = inherit(previous, own));
        default:
          throw unknown(action, "expected global, reset or repeat");
      }
    },
  };

  /** A few lines could repeat a large document a thousand times. */
  function inherit(base: MapNode, own: MapNode): MapNode {
    repeated += sizeOf(base);
    if (repeated <= limits.repeatedNodesPerFile) return merge(base, own);
    const message = `'action' repeats more than ${limits.repeatedNodesPerFile} values in one file.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, own.at);
  }
}

function without(map: MapNode, key: string): MapNode {
  return { ...map, entries: map.entries.filter((entry) => entry.key !== key) };
}

/** Maps are merged key by key; any other value of `over` replaces. Positions stay those of the text. */
function merge(base: MapNode, over: MapNode): MapNode {
  const own = new Map(over.entries.map((entry) => [entry.key, entry]));
  const kept = base.entries.map((entry) => {
    const found = own.get(entry.key);
    if (!found) return entry;
    own.delete(entry.key);
    const both = entry.value.kind === "map" && found.value.kind === "map";
    return both ? { ...found, value: merge(entry.value, found.value) } : found;
  });
  return { kind: "map", entries: [...kept, ...own.values()], at: over.at };
}

function sizeOf(node: Node): number {
  if (node.kind === "scalar") return 1;
  const children = node.kind === "list" ? node.items : node.entries.map(({ value }) => value);
  return children.reduce((sum, child) => sum + sizeOf(child), 1);
}

function nameOf({ value }: MapEntry): string {
  return value.kind === "scalar" ? String(value.value) : value.kind;
}

function unknown(action: MapEntry, reason: string): RuleError {
  const message = `The action '${nameOf(action)}' cannot be done: ${reason}.`;
  return new RuleError("RULE_DOCUMENT_INVALID", message, action.value.at);
}
