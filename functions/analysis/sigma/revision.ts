import type { Correlation, SeenCondition } from "./language/correlation.ts";
import type { Description } from "./language/description.ts";
import type { Expression, Pattern, Test } from "./language/expression.ts";
import type { Logsource } from "./language/logsource.ts";
import { foldPattern } from "./language/pattern.ts";

/**
 * The text a rule's revision is the hash of: log source and detection (with its filters), independent of
 * the order of what commutes, of the names of identifiers, of the case of values compared without case
 * and of everything that does not change what matches.
 */
export function canonicalRule(logsource: Logsource, detection: Expression): string {
  return list("rule", [canonicalJson(logsource), canonical(detection)]);
}

/**
 * The text a correlation's revision is the hash of; `revisions` are those of what it refers to, in order.
 * Independent of names, also those of aliases, and of the order of rules where it does not matter.
 */
export function canonicalCorrelation(
  correlation: Omit<Correlation, "revision" | "silent" | keyof Description>,
  revisions: readonly string[],
): string {
  const { type, aliases, groupBy, timespanMs, window, condition, valueFields, percentile } = correlation;
  const group = groupBy.map((field) => {
    const alias = Object.hasOwn(aliases, field) ? aliases[field] : undefined;
    if (!alias) return field;
    return Object.entries(alias)
      .map(([index, own]) => [revisions[Number(index)], own])
      .toSorted(byJson);
  });
  return JSON.stringify([
    "correlation",
    type,
    type === "temporal_ordered" ? revisions : unique(revisions),
    group,
    timespanMs,
    window,
    condition.kind === "seen"
      ? canonicalSeen(condition.of, revisions)
      : unique(condition.comparisons.map(canonicalJson)),
    valueFields,
    percentile ?? null,
  ]);
}

function canonicalSeen(seen: SeenCondition, revisions: readonly string[]): string {
  if (seen.kind === "rule") return JSON.stringify(["rule", revisions[seen.index]]);
  if (seen.kind === "not") {
    return seen.of.kind === "not"
      ? canonicalSeen(seen.of.of, revisions)
      : list("not", [canonicalSeen(seen.of, revisions)]);
  }
  const parts = unique(flattenSeen(seen.kind, seen.of).map((part) => canonicalSeen(part, revisions)));
  return parts.length === 1 ? (parts[0] ?? "") : list(seen.kind, parts);
}

function flattenSeen(kind: "and" | "or", of: readonly SeenCondition[]): readonly SeenCondition[] {
  return of.flatMap((part) => (part.kind === kind ? flattenSeen(kind, part.of) : [part]));
}

function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
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
      return expression.of.kind === "not"
        ? canonical(expression.of.of)
        : list("not", [canonical(expression.of)]);
    case "named":
      return canonical(expression.of);
    case "null":
      return JSON.stringify(["null", expression.field]);
    case "exists":
      return JSON.stringify(["exists", expression.field, expression.expected]);
    case "keywords":
      return list("keywords", unique(expression.tests.map(canonicalTest)));
    case "field":
      return canonicalField(expression);
    default:
      return expression satisfies never;
  }
}

function canonicalField({ field, linkage, tests }: Extract<Expression, { kind: "field" }>): string {
  const all = linkage === "all" && unique(tests.map(canonicalTest)).length > 1;
  const texts = unique((all ? tests : tests.flatMap(alternativesOf)).map(canonicalTest));
  return list("field", [JSON.stringify(field), JSON.stringify(all ? "all" : "any"), ...texts]);
}

/** Where any test will do, alternatives of one are tests like the others. */
function alternativesOf(test: Test): readonly Test[] {
  return test.kind === "any" ? test.of : [test];
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
function canonicalJson(value: object): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
