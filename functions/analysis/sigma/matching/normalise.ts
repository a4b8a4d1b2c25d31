import type { Expression, Test } from "../language/expression.ts";
import { foldPattern } from "../language/pattern.ts";

/** What can be asked of one event, once, whoever asks: the leaves rules share. */
export type Question =
  /** Some value of the field passes some test. */
  | { readonly kind: "field"; readonly field: string; readonly tests: readonly Test[] }
  /** The field is absent or null. */
  | { readonly kind: "null"; readonly field: string }
  | { readonly kind: "exists"; readonly field: string }
  /** Some value anywhere passes some test. */
  | { readonly kind: "keywords"; readonly tests: readonly Test[] };

/** A detection without names, nested connectives, double negations or constants inside. */
export type Formula =
  | { readonly kind: "constant"; readonly holds: boolean }
  | { readonly kind: "and" | "or"; readonly of: readonly Formula[] }
  | { readonly kind: "not"; readonly of: Formula }
  | { readonly kind: "question"; readonly question: Question };

/**
 * Brings a detection into the form that is indexed. Lists of values that any of will do become one
 * question, also across the branches of an `or`: however long, it is then one look-up or one scan.
 */
export function normalise(expression: Expression): Formula {
  switch (expression.kind) {
    case "and":
      return conjoin(expression.of.map(normalise));
    case "or":
      return disjoin(expression.of.map(normalise));
    case "not":
      return negate(normalise(expression.of));
    case "named":
      return normalise(expression.of);
    case "null":
      return ask({ kind: "null", field: expression.field });
    case "exists": {
      const exists = ask({ kind: "exists", field: expression.field });
      return expression.expected ? exists : negate(exists);
    }
    case "keywords":
      return anyOf(expression.tests, (tests) => ({ kind: "keywords", tests }));
    case "field": {
      const { field, tests, linkage } = expression;
      const question = (of: readonly Test[]): Question => ({ kind: "field", field, tests: of });
      if (linkage === "any") return anyOf(tests, question);
      return conjoin(tests.map((test) => anyOf([test], question)));
    }
    default:
      return expression satisfies never;
  }
}

function ask(question: Question): Formula {
  return { kind: "question", question };
}

function anyOf(tests: readonly Test[], question: (tests: readonly Test[]) => Question): Formula {
  const flat = tests.flatMap(alternativesOf);
  return flat.length === 0 ? { kind: "constant", holds: false } : ask(question(flat));
}

/** `any` opened, and patterns folded once instead of at every comparison. */
function alternativesOf(test: Test): readonly Test[] {
  if (test.kind === "any") return test.of.flatMap(alternativesOf);
  if (test.kind !== "pattern" || test.cased) return [test];
  return [{ ...test, pattern: foldPattern(test.pattern) }];
}

function negate(formula: Formula): Formula {
  if (formula.kind === "not") return formula.of;
  if (formula.kind === "constant") return { kind: "constant", holds: !formula.holds };
  return { kind: "not", of: formula };
}

function conjoin(parts: readonly Formula[]): Formula {
  return connect("and", parts);
}

function disjoin(parts: readonly Formula[]): Formula {
  const flat = connect("or", parts);
  return flat.kind === "or" ? connect("or", mergeQuestions(flat.of)) : flat;
}

/** Flattens and folds constants: `true` decides an `or` and changes no `and`, `false` the other way round. */
function connect(kind: "and" | "or", parts: readonly Formula[]): Formula {
  const deciding = kind === "or";
  const flat: Formula[] = [];
  for (const part of parts.flatMap((one) => (one.kind === kind ? one.of : [one]))) {
    if (part.kind !== "constant") flat.push(part);
    else if (part.holds === deciding) return part;
  }
  const [only] = flat;
  if (only === undefined) return { kind: "constant", holds: !deciding };
  return flat.length === 1 ? only : { kind, of: flat };
}

/** Alternatives that ask the same field, or all keywords, are one question with more tests. */
function mergeQuestions(parts: readonly Formula[]): readonly Formula[] {
  const tests = new Map<string, Test[]>();
  const merged: (() => Formula)[] = [];
  for (const part of parts) {
    const question = part.kind === "question" ? part.question : undefined;
    if (question?.kind !== "field" && question?.kind !== "keywords") {
      merged.push(() => part);
      continue;
    }
    const key = question.kind === "field" ? `f${question.field}` : "k";
    const known = tests.get(key);
    if (known) {
      known.push(...question.tests);
      continue;
    }
    const all = [...question.tests];
    tests.set(key, all);
    merged.push(() => ask({ ...question, tests: all }));
  }
  return merged.map((make) => make());
}
