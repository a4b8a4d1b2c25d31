import type { Expression, Pattern, Test } from "../../sigma/language/expression.ts";
import { foldPattern } from "../../sigma/language/pattern.ts";
import { canonical } from "../../sigma/revision.ts";

/**
 * Whether no event can satisfy a detection. Found are contradictions within one conjunction: a part and its
 * negation, a field both absent and of a value, and a value that an exclusion takes away again. A field may
 * hold several values, so two different ones contradict nothing.
 */
export function isImpossible(expression: Expression): boolean {
  if (expression.kind === "or") return expression.of.every(isImpossible);
  if (expression.kind === "named") return isImpossible(expression.of);
  const parts = conjuncts(expression);
  const texts = new Set(parts.map(canonical));
  return parts.some(
    (part) =>
      (part.kind === "or" && isImpossible(part)) ||
      (part.kind === "not" && texts.has(canonical(part.of))) ||
      (part.kind === "exists" && !part.expected && parts.some((other) => needs(other, part.field))) ||
      (part.kind === "not" && parts.some((other) => implies(other, part.of))),
  );
}

/** What must all hold, names and double negations resolved; `not (a or b)` is `not a` and `not b`. */
function conjuncts(expression: Expression): readonly Expression[] {
  if (expression.kind === "and") return expression.of.flatMap(conjuncts);
  if (expression.kind === "named") return conjuncts(expression.of);
  if (expression.kind !== "not") return [expression];
  const inner = unnamed(expression.of);
  if (inner.kind === "not") return conjuncts(inner.of);
  if (inner.kind === "or") return inner.of.flatMap((of) => conjuncts({ kind: "not", of }));
  return [{ kind: "not", of: inner }];
}

function unnamed(expression: Expression): Expression {
  return expression.kind === "named" ? unnamed(expression.of) : expression;
}

function needs(expression: Expression, field: string): boolean {
  if (expression.kind === "exists") return expression.expected && expression.field === field;
  return expression.kind === "field" && expression.field === field;
}

/** Whether every event that satisfies `a` satisfies `b`; false where it is not plain to see. */
function implies(a: Expression, b: Expression): boolean {
  if (a.kind !== "field" || b.kind !== "field" || a.field !== b.field) return false;
  if (b.linkage === "all" && b.tests.length > 1) return false;
  const isCovered = (test: Test) => b.tests.some((other) => testImplies(test, other));
  return a.linkage === "all" ? a.tests.some(isCovered) : a.tests.every(isCovered);
}

function testImplies(a: Test, b: Test): boolean {
  if (a.kind === "any") return a.of.every((alternative) => testImplies(alternative, b));
  if (b.kind === "any") return b.of.some((alternative) => testImplies(a, alternative));
  if (a.kind !== "pattern" || b.kind !== "pattern" || (b.cased && !a.cased)) return false;
  const fold = b.cased ? (pattern: Pattern) => pattern : foldPattern;
  return patternImplies(fold(a.pattern), fold(b.pattern));
}

/** For a `b` of one literal between wildcards, or none. */
function patternImplies(a: Pattern, b: Pattern): boolean {
  const literal = b.find((part) => typeof part === "object");
  if (JSON.stringify(a) === JSON.stringify(b)) return true;
  if (!literal || b.some((part) => part !== "many" && part !== literal)) return false;
  const anyBefore = b[0] === "many";
  const anyAfter = b.at(-1) === "many";
  const [first, last] = [a[0], a.at(-1)];
  if (anyBefore && anyAfter) {
    return a.some((part) => typeof part === "object" && part.literal.includes(literal.literal));
  }
  if (anyAfter) return typeof first === "object" && first.literal.startsWith(literal.literal);
  return anyBefore && typeof last === "object" && last.literal.endsWith(literal.literal);
}
