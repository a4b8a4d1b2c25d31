import type { ScalarNode } from "./document.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";

/** A word or a parenthesis of a condition. */
export interface Token {
  readonly text: string;
  readonly at: Position;
}

/** Words are told apart at blanks and parentheses, so `notepad_sel`, `order` and `android` are one word each. */
export function tokenise(node: ScalarNode): readonly Token[] {
  const text = String(node.value);
  if (text.length > limits.conditionCharacters) {
    const message = `A condition of more than ${limits.conditionCharacters} characters.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, node.at);
  }
  const tokens = [...text.matchAll(/[()]|[^\s()]+/g)].map(({ 0: word, index }) => ({
    text: word,
    at: node.textAt ? { line: node.textAt.line, column: node.textAt.column + index } : node.at,
  }));
  const pipe = tokens.find((token) => token.text.includes("|"));
  if (pipe) {
    const message = "Aggregations behind '|' left Sigma; use a correlation document.";
    throw new RuleError("RULE_CONDITION_UNSUPPORTED", message, pipe.at);
  }
  if (tokens.length > 0) return tokens;
  throw new RuleError("RULE_CONDITION_INVALID", "The condition is empty.", node.at);
}
