import type { MapNode, Node } from "../language/document.ts";
import { limits } from "../language/limits.ts";
import { RuleError } from "../language/problem.ts";

/** Counts the regular expressions of one file, before they are compiled; throws RuleError when there are too many. */
export function createRegexBudget(): (document: MapNode) => void {
  let spent = 0;
  return (document) => {
    const count = regexesIn(document);
    if (count > 0 && spent + count > limits.regexesPerFile) {
      const message = `More than ${limits.regexesPerFile} regular expressions in one file.`;
      throw new RuleError("RULE_LIMIT_EXCEEDED", message, document.at);
    }
    spent += count;
  };
}

function regexesIn(node: Node): number {
  if (node.kind === "scalar") return 0;
  if (node.kind === "list") return node.items.reduce((sum, item) => sum + regexesIn(item), 0);
  return node.entries.reduce((sum, { key, value }) => {
    if (!key.split("|").includes("re")) return sum + regexesIn(value);
    return sum + (value.kind === "list" ? value.items.length : 1);
  }, 0);
}
