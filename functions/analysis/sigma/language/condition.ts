import { combine } from "./combine.ts";
import type { Node, ScalarNode } from "./document.ts";
import type { Expression } from "./expression.ts";
import { type Condition, linkOf, parseGrammar, selectedBy, unknownIdentifier } from "./grammar.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";
import type { Token } from "./tokens.ts";

/** A detection's search identifiers, parsed. */
export type Searches = ReadonlyMap<string, Expression>;

export interface Resolver {
  /** Parses one condition or a list of them, any of which may hold; throws RuleError. */
  resolve(node: Node): readonly Expression[];
  /** The identifiers that take part in what was resolved. */
  readonly used: ReadonlySet<string>;
}

/** Resolves the conditions of one detection. */
export function createResolver(searches: Searches): Resolver {
  const names = [...searches.keys()];
  const sizes = new Map([...searches].map(([name, search]) => [name, sizeOf(search)]));
  const used = new Set<string>();
  let spent = 0;
  return { used, resolve: (node) => conditionsOf(node).map((text) => resolve(parseGrammar(text))) };

  function resolve(condition: Condition): Expression {
    switch (condition.kind) {
      case "and":
      case "or":
        return { kind: condition.kind, of: condition.of.map(resolve) };
      case "not":
        return { kind: "not", of: resolve(condition.of) };
      case "identifier":
        return searchNamed(condition.token);
      case "selector": {
        const { quantifier, target } = condition;
        const kind = linkOf(quantifier);
        const selected = selectedBy(target, names);
        return combine(
          kind,
          selected.map((text) => searchNamed({ text, at: target.at })),
        );
      }
      default:
        return condition satisfies never;
    }
  }

  function searchNamed(token: Token): Expression {
    const search = searches.get(token.text);
    if (!search) throw unknownIdentifier(token, names);
    spend(sizes.get(token.text) ?? 0, token.at);
    used.add(token.text);
    return { kind: "named", name: token.text, of: search };
  }

  /** A condition can name a large selection again and again; written out, it must stay within bounds. */
  function spend(size: number, at: Position): void {
    spent += size;
    if (spent <= limits.testsPerDetection) return;
    const message = `The condition, written out, has more than ${limits.testsPerDetection} tests.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, at);
  }
}

/** One condition, or a list. A number is a name too: `1` may be an identifier. */
function conditionsOf(node: Node): readonly ScalarNode[] {
  const nodes = node.kind === "list" ? node.items : [node];
  const texts = nodes.filter((item) => item.kind === "scalar").filter(({ value }) => value !== null);
  if (nodes.length === 0 || texts.length < nodes.length) {
    const message = "'condition' must be a text or a list of texts.";
    throw new RuleError("RULE_CONDITION_INVALID", message, node.at);
  }
  const characters = texts.reduce((sum, { value }) => sum + String(value).length, 0);
  if (characters <= limits.conditionCharacters) return texts;
  const message = `Conditions of more than ${limits.conditionCharacters} characters.`;
  throw new RuleError("RULE_LIMIT_EXCEEDED", message, node.at);
}

/** How many tests and links an expression has, at least one. */
function sizeOf(expression: Expression): number {
  switch (expression.kind) {
    case "and":
    case "or":
      return 1 + expression.of.reduce((sum, part) => sum + sizeOf(part), 0);
    case "not":
    case "named":
      return 1 + sizeOf(expression.of);
    case "field":
    case "keywords":
      return 1 + expression.tests.reduce((sum, test) => sum + (test.kind === "any" ? test.of.length : 1), 0);
    case "null":
    case "exists":
      return 1;
    default:
      return expression satisfies never;
  }
}
