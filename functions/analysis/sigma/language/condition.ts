import type { ScalarNode } from "./document.ts";
import { combine } from "./detection.ts";
import type { Expression } from "./expression.ts";
import { type Position, RuleError, type RuleProblemCode } from "./problem.ts";

/** A detection's search identifiers, parsed. */
export type Searches = ReadonlyMap<string, Expression>;

/** Deeper parentheses are refused: nobody can read them, and evaluation recurses. */
const maxDepth = 64;

interface Token {
  readonly text: string;
  readonly at: Position;
}

/** A condition as it is written, before its identifiers are looked up. */
type Condition =
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "identifier"; readonly token: Token }
  | { readonly kind: "selector"; readonly quantifier: Token; readonly target: Token };

/**
 * Parses a condition and resolves its identifiers:
 *
 *     or   := and ("or" and)*        and := not ("and" not)*        not := "not"* atom
 *     atom := "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | identifier
 *
 * Words are told apart at blanks and parentheses, so `notepad_sel` and `order` are identifiers. `used`
 * receives the names of the identifiers that take part.
 */
export function parseCondition(node: ScalarNode, searches: Searches, used: Set<string>): Expression {
  return resolve(parseTokens(tokenise(node), node.at), searches, used);
}

function parseTokens(tokens: readonly Token[], end: Position): Condition {
  let position = 0;
  const parsed = parseOr(0);
  const rest = tokens[position];
  if (rest) throw unexpected(rest);
  return parsed;

  function parseOr(depth: number): Condition {
    const of = [parseAnd(depth)];
    while (skip("or")) of.push(parseAnd(depth));
    return link("or", of);
  }

  function parseAnd(depth: number): Condition {
    const of = [parseNot(depth)];
    while (skip("and")) of.push(parseNot(depth));
    return link("and", of);
  }

  function parseNot(depth: number): Condition {
    let negated = false;
    while (skip("not")) negated = !negated;
    const of = parseAtom(depth);
    return negated ? { kind: "not", of } : of;
  }

  function parseAtom(depth: number): Condition {
    const token = take("an identifier");
    if (token.text === "(") return parseParenthesis(token, depth + 1);
    if (skip("of")) return { kind: "selector", quantifier: token, target: take("'them' or a pattern") };
    return { kind: "identifier", token };
  }

  function parseParenthesis(opening: Token, depth: number): Condition {
    if (depth > maxDepth) throw refuse("RULE_CONDITION_INVALID", "Too many parentheses.", opening.at);
    const inner = parseOr(depth);
    const closing = take("')'");
    if (closing.text !== ")") throw unexpected(closing);
    return inner;
  }

  function skip(word: string): boolean {
    const isNext = tokens[position]?.text === word;
    if (isNext) position += 1;
    return isNext;
  }

  function take(expected: string): Token {
    const token = tokens[position];
    position += 1;
    if (token) return token;
    throw refuse("RULE_CONDITION_INVALID", `The condition ends where ${expected} is expected.`, end);
  }
}

function link(kind: "and" | "or", of: readonly Condition[]): Condition {
  const [first] = of;
  return first && of.length === 1 ? first : { kind, of };
}

function resolve(condition: Condition, searches: Searches, used: Set<string>): Expression {
  switch (condition.kind) {
    case "and":
    case "or":
      return { kind: condition.kind, of: condition.of.map((part) => resolve(part, searches, used)) };
    case "not":
      return { kind: "not", of: resolve(condition.of, searches, used) };
    case "identifier":
      return searchNamed(condition.token, searches, used);
    case "selector": {
      const { quantifier, target } = condition;
      const kind = quantifiers.get(quantifier.text);
      if (!kind) throw unsupportedQuantifier(quantifier);
      const names = selectedBy(target, [...searches.keys()]);
      return combine(
        kind,
        names.map((text) => searchNamed({ text, at: target.at }, searches, used)),
      );
    }
    default:
      return condition satisfies never;
  }
}

const quantifiers: ReadonlyMap<string, "and" | "or"> = new Map([
  ["1", "or"],
  ["any", "or"],
  ["all", "and"],
]);

function unsupportedQuantifier({ text, at }: Token): RuleError {
  const message = `'${text} of' is not supported${hintOf(text)}; write '1 of', 'any of' or 'all of'.`;
  return refuse("RULE_CONDITION_UNSUPPORTED", message, at);
}

function searchNamed(token: Token, searches: Searches, used: Set<string>): Expression {
  const { text, at } = token;
  const search = searches.get(text);
  if (search) {
    used.add(text);
    return { kind: "named", name: text, of: search };
  }
  if (!isWord(text)) throw unexpected(token);
  const names = [...searches.keys()].join(", ");
  const message = `Unknown identifier '${text}'${hintOf(text)}; there are: ${names}.`;
  throw refuse("RULE_IDENTIFIER_UNKNOWN", message, at);
}

function unexpected({ text, at }: Token): RuleError {
  return refuse("RULE_CONDITION_INVALID", `Unexpected '${text}'${hintOf(text)}.`, at);
}

const reserved: ReadonlySet<string> = new Set(["and", "or", "not", "of"]);

function isWord(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text) && !reserved.has(text);
}

function hintOf(text: string): string {
  const lower = text.toLowerCase();
  return text !== lower && (reserved.has(lower) || lower === "all" || lower === "any")
    ? ` (write '${lower}' in lower case)`
    : "";
}

function tokenise(node: ScalarNode): readonly Token[] {
  const text = String(node.value);
  const tokens = [...text.matchAll(/[()]|[^\s()]+/g)].map(({ 0: word, index }) => ({
    text: word,
    at: node.textAt ? { line: node.textAt.line, column: node.textAt.column + index } : node.at,
  }));
  const pipe = tokens.find((token) => token.text.includes("|"));
  if (pipe) {
    const instead = "use a correlation document";
    throw refuse("RULE_CONDITION_UNSUPPORTED", `Aggregations behind '|' left Sigma; ${instead}.`, pipe.at);
  }
  if (tokens.length === 0) throw refuse("RULE_CONDITION_INVALID", "The condition is empty.", node.at);
  return tokens;
}

/** The identifiers a selector names. Those that begin with `_` are meant only where the pattern does too. */
function selectedBy({ text, at }: Token, names: readonly string[]): readonly string[] {
  if (text !== "them" && !/^[A-Za-z0-9_*-]+$/.test(text)) {
    throw refuse("RULE_CONDITION_INVALID", `'${text}' is no pattern of identifiers.`, at);
  }
  const visible = names.filter((name) => text.startsWith("_") || !name.startsWith("_"));
  const selected = text === "them" ? visible : visible.filter((name) => isSelected(name, text));
  if (selected.length > 0) return selected;
  throw refuse("RULE_SELECTOR_EMPTY", `'${text}' names no identifier; there are: ${names.join(", ")}.`, at);
}

function isSelected(name: string, pattern: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return name === pattern;
  const tail = parts.pop() ?? "";
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  let index = head.length;
  for (const part of parts) {
    const found = name.indexOf(part, index);
    if (found < 0) return false;
    index = found + part.length;
  }
  return index <= name.length - tail.length;
}

function refuse(code: RuleProblemCode, message: string, at: Position): RuleError {
  return new RuleError(code, message, at);
}
