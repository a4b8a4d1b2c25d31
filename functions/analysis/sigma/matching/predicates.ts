import type { Test } from "../language/expression.ts";
import type { Formula, Question } from "./normalise.ts";

/** A question with a number; every rule that asks it has the same. */
export interface Predicate {
  readonly id: number;
  readonly question: Question;
  /** How many places in the rules ask it. */
  uses: number;
}

/** A formula over predicates. */
export type Interned =
  | { readonly kind: "constant"; readonly holds: boolean }
  | { readonly kind: "and" | "or"; readonly of: readonly Interned[] }
  | { readonly kind: "not"; readonly of: Interned }
  | { readonly kind: "predicate"; readonly predicate: Predicate };

/** Gives equal questions one number, so that each is answered once an event, whoever asks. */
export interface Interner {
  readonly predicates: readonly Predicate[];
  intern(formula: Formula): Interned;
}

export function createInterner(): Interner {
  const predicates: Predicate[] = [];
  const byKey = new Map<string, Predicate>();
  const intern = (formula: Formula): Interned => {
    if (formula.kind === "constant") return formula;
    if (formula.kind === "not") return { kind: "not", of: intern(formula.of) };
    if (formula.kind !== "question") return { kind: formula.kind, of: formula.of.map(intern) };
    const key = keyOf(formula.question);
    let predicate = byKey.get(key);
    if (!predicate) {
      predicate = { id: predicates.length, question: formula.question, uses: 0 };
      predicates.push(predicate);
      byKey.set(key, predicate);
    }
    predicate.uses += 1;
    return { kind: "predicate", predicate };
  };
  return { predicates, intern };
}

/** Equal for questions that ask the same in the same words, in any order. */
function keyOf(question: Question): string {
  if (question.kind === "null" || question.kind === "exists") return `${question.kind} ${question.field}`;
  const tests = question.tests.map(keyOfTest);
  const sorted = tests.length > 1 ? [...new Set(tests)].toSorted() : tests;
  return `${question.kind === "field" ? `field ${JSON.stringify(question.field)}` : "keywords"} ${sorted.join("\u0000")}`;
}

function keyOfTest(test: Test): string {
  if (test.kind !== "pattern") return JSON.stringify(test);
  const parts = test.pattern.map((part) => (typeof part === "object" ? JSON.stringify(part.literal) : part));
  return `${test.cased ? "cased" : "folded"} ${parts.join(" ")}`;
}
