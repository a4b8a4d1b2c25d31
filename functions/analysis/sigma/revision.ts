import type { Correlation } from "./language/correlation.ts";
import type { Expression, Pattern, Test } from "./language/expression.ts";
import type { Logsource } from "./language/logsource.ts";
import { foldPattern } from "./language/pattern.ts";

/**
 * The text a rule's revision is the hash of: log source and detection, independent of the order of
 * what commutes, of the names of identifiers, of the case of values compared without case and of
 * everything that does not change what matches.
 */
export function canonicalRule(logsource: Logsource, detection: Expression): string {
  const { product, category, service } = logsource;
  const source = [product ?? null, category ?? null, service ?? null].map((part) => JSON.stringify(part));
  return list("rule", [...source, canonical(detection)]);
}

/** The text a correlation's revision is the hash of; `revisions` are those of the rules it counts. */
export function canonicalCorrelation(
  {
    type,
    groupBy,
    timespanMs,
    condition,
  }: Pick<Correlation, "type" | "groupBy" | "timespanMs" | "condition">,
  revisions: readonly string[],
): string {
  return JSON.stringify(["correlation", type, unique(revisions), groupBy, timespanMs, condition]);
}

/** JSON, put together from JSON: quoting an inner text again would double its length at every level. */
export function canonical(expression: Expression): string {
  switch (expression.kind) {
    case "and":
    case "or": {
      const parts = unique(flatten(expression.kind, expression.of).map(canonical));
      return parts.length === 1 ? (parts[0] ?? "") : list(expression.kind, parts);
    }
    case "not":
      return list("not", [canonical(expression.of)]);
    case "named":
      return canonical(expression.of);
    case "null":
      return JSON.stringify(["null", expression.field]);
    case "exists":
      return JSON.stringify(["exists", expression.field, expression.expected]);
    case "keywords":
      return list("keywords", unique(expression.tests.map(canonicalTest)));
    case "field": {
      const tests = unique(expression.tests.map(canonicalTest));
      const linkage = tests.length === 1 ? "any" : expression.linkage;
      return list("field", [JSON.stringify(expression.field), JSON.stringify(linkage), ...tests]);
    }
    default:
      return expression satisfies never;
  }
}

function list(kind: string, parts: readonly string[]): string {
  return `[${[JSON.stringify(kind), ...parts].join(",")}]`;
}

/** `a and (b and c)` is `a and b and c`. */
function flatten(kind: "and" | "or", of: readonly Expression[]): readonly Expression[] {
  return of.flatMap((part) => (part.kind === kind ? flatten(kind, part.of) : [part]));
}

function canonicalTest(test: Test): string {
  if (test.kind === "any") return list("any", unique(test.of.map(canonicalTest)));
  if (test.kind !== "pattern") return canonicalJson(test);
  return list(test.cased ? "cased" : "text", [canonicalPattern(test.pattern, test.cased)]);
}

function canonicalPattern(pattern: Pattern, cased = false): string {
  const parts = cased ? pattern : foldPattern(pattern);
  return JSON.stringify(parts.map((part) => (typeof part === "object" ? [part.literal] : part)));
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}

/** JSON with sorted keys. */
function canonicalJson(test: Test): string {
  return JSON.stringify(Object.entries(test).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
