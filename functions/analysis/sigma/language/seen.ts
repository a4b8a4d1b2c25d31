import type { SeenCondition } from "./correlation.ts";
import { type Condition, linkOf, selectedBy, unknownIdentifier } from "./grammar.ts";
import type { Token } from "./tokens.ts";

/** How the words of a condition name the rules of a correlation. */
export interface SeenNames {
  /** As written under `rules`, for selectors and messages. */
  readonly names: readonly string[];
  /** The position among the referred rules of what an id or a name stands for. */
  readonly indexOf: (name: string) => number | undefined;
}

/** Resolves the boolean condition of a temporal correlation (SEP 198); throws RuleError. */
export function resolveSeen(condition: Condition, seen: SeenNames): SeenCondition {
  switch (condition.kind) {
    case "and":
    case "or":
      return { kind: condition.kind, of: condition.of.map((part) => resolveSeen(part, seen)) };
    case "not":
      return { kind: "not", of: resolveSeen(condition.of, seen) };
    case "identifier":
      return ruleNamed(condition.token, seen);
    case "selector": {
      const { quantifier, target } = condition;
      const kind = linkOf(quantifier);
      const of = selectedBy(target, seen.names).map((text) => ruleNamed({ text, at: target.at }, seen));
      return linkSeen(kind, of);
    }
    default:
      return condition satisfies never;
  }
}

function ruleNamed(token: Token, { names, indexOf }: SeenNames): SeenCondition {
  const index = indexOf(token.text);
  if (index === undefined) throw unknownIdentifier(token, names);
  return { kind: "rule", index };
}

function linkSeen(kind: "and" | "or", of: readonly SeenCondition[]): SeenCondition {
  const [first] = of;
  return first && of.length === 1 ? first : { kind, of };
}

/** At least `least` of `count` rules; `undefined` when there are too many ways to choose them. */
export function seenAtLeast(least: number, count: number): SeenCondition | undefined {
  const choices = choose(least, count);
  if (choices.length > mostChoices) return undefined;
  return linkSeen(
    "or",
    choices.map((indexes) =>
      linkSeen(
        "and",
        indexes.map((index) => ({ kind: "rule", index })),
      ),
    ),
  );
}

const mostChoices = 100;

/** Every way to choose so many of the numbers from `from` below `count`; a few more than allowed are enough. */
function choose(size: number, count: number, from = 0): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  const choices: (readonly number[])[] = [];
  for (let first = from; first <= count - size && choices.length <= mostChoices; first += 1) {
    for (const rest of choose(size - 1, count, first + 1)) choices.push([first, ...rest]);
  }
  return choices;
}

/** Whether a condition is `a and b and not c`, with one rule at least that must be seen: an order can be asked of it. */
export function isSequence(seen: SeenCondition): boolean {
  const parts = conjuncts(seen);
  return parts.every(isLiteral) && parts.some(({ kind }) => kind === "rule");
}

function isLiteral(seen: SeenCondition): boolean {
  return (seen.kind === "not" ? seen.of.kind : seen.kind) === "rule";
}

function conjuncts(seen: SeenCondition): readonly SeenCondition[] {
  return seen.kind === "and" ? seen.of.flatMap(conjuncts) : [seen];
}

/** The rules a condition speaks of. */
export function rulesOf(seen: SeenCondition): ReadonlySet<number> {
  if (seen.kind === "rule") return new Set([seen.index]);
  const parts = seen.kind === "not" ? [seen.of] : seen.of;
  return new Set(parts.flatMap((part) => [...rulesOf(part)]));
}
