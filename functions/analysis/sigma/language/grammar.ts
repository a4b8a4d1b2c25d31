import type { ScalarNode } from "./document.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";
import { type Token, tokenise } from "./tokens.ts";

/** A condition as it is written, before its identifiers are looked up. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "identifier"; readonly token: Token }
  | { readonly kind: "selector"; readonly quantifier: Token; readonly target: Token };

/**
 * Parses a condition (Sigma specification, condition):
 *
 *     or   := and ("or" and)*        and := not ("and" not)*        not := "not"* atom
 *     atom := "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | identifier
 */
export function parseGrammar(node: ScalarNode): Condition {
  const tokens = tokenise(node);
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
    if (depth > limits.parentheses) {
      throw invalid(`More than ${limits.parentheses} parentheses within each other`, opening.at);
    }
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
    throw invalid(`The condition ends where ${expected} is expected`, node.at);
  }
}

function link(kind: "and" | "or", of: readonly Condition[]): Condition {
  const [first] = of;
  return first && of.length === 1 ? first : { kind, of };
}

const quantifiers: ReadonlyMap<string, "and" | "or"> = new Map([
  ["1", "or"],
  ["any", "or"],
  ["all", "and"],
]);

/** How a selector links what it names: `1 of` and `any of` are OR, `all of` is AND. */
export function linkOf({ text, at }: Token): "and" | "or" {
  const kind = quantifiers.get(text);
  if (kind) return kind;
  const message = `'${text} of' is not supported${hintOf(text)}; write '1 of', 'any of' or 'all of'.`;
  throw new RuleError("RULE_CONDITION_UNSUPPORTED", message, at);
}

/**
 * The names a selector stands for; it must name one at least, or `all of x*` would hold for everything.
 * Names that begin with `_` are meant only where the pattern begins so, too.
 */
export function selectedBy({ text, at }: Token, names: readonly string[]): readonly string[] {
  if (text !== "them" && !/^[A-Za-z0-9_*-]+$/.test(text)) {
    throw invalid(`'${text}' is no pattern of identifiers`, at);
  }
  const visible = names.filter((name) => text.startsWith("_") || !name.startsWith("_"));
  const selected = text === "them" ? visible : visible.filter((name) => isSelected(name, text));
  if (selected.length > 0) return selected;
  throw new RuleError(
    "RULE_SELECTOR_EMPTY",
    `'${text}' names no identifier; there are: ${listed(names)}.`,
    at,
  );
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

/** The error for an identifier that is not among the names. */
export function unknownIdentifier(token: Token, names: readonly string[]): RuleError {
  const { text, at } = token;
  if (!/^[A-Za-z0-9_-]+$/.test(text) || reserved.has(text)) return unexpected(token);
  const message = `Unknown identifier '${text}'${hintOf(text)}; there are: ${listed(names)}.`;
  return new RuleError("RULE_IDENTIFIER_UNKNOWN", message, at);
}

/** Names for a message, not all of a thousand. */
function listed(names: readonly string[]): string {
  const most = 20;
  return names.length > most ? `${names.slice(0, most).join(", ")} ...` : names.join(", ");
}

const reserved: ReadonlySet<string> = new Set(["and", "or", "not", "of"]);

function unexpected({ text, at }: Token): RuleError {
  return invalid(`Unexpected '${text}'${hintOf(text)}`, at);
}

function hintOf(text: string): string {
  const lower = text.toLowerCase();
  const isWord = reserved.has(lower) || ["all", "any", "them"].includes(lower);
  return text !== lower && isWord ? ` (write '${lower}' in lower case)` : "";
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("RULE_CONDITION_INVALID", `${message}.`, at);
}
