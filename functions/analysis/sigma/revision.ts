import type { Correlation } from "./correlation.ts";
import type { Expression, Pattern, Test } from "./expression.ts";
import type { Logsource } from "./logsource.ts";
import { foldPattern } from "./pattern.ts";

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
    threshold,
  }: Pick<Correlation, "type" | "groupBy" | "timespanMs" | "threshold">,
  revisions: readonly string[],
): string {
  return JSON.stringify(["correlation", type, unique(revisions), groupBy, timespanMs, threshold]);
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
    case "null":
      return JSON.stringify(["null", expression.field]);
    case "exists":
      return JSON.stringify(["exists", expression.field, expression.expected]);
    case "keywords":
      return list("keywords", unique(expression.patterns.map((pattern) => canonicalPattern(pattern))));
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
  if (test.kind === "compare") return JSON.stringify([test.operator, test.operand]);
  return list(test.cased ? "cased" : "text", [canonicalPattern(test.pattern, test.cased)]);
}

function canonicalPattern(pattern: Pattern, cased = false): string {
  const parts = cased ? pattern : foldPattern(pattern);
  return JSON.stringify(parts.map((part) => (typeof part === "object" ? [part.literal] : part)));
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}
