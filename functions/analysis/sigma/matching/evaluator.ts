import { type Field, recall } from "./field.ts";
import type { Interned, Predicate } from "./predicates.ts";
import type { Subject } from "./subject.ts";
import type { ValueTest } from "./value-matcher.ts";

/** Whether a rule holds for the event being matched. */
export type Holds = () => boolean;

/** The event being matched, and what is known of it so far. */
export interface Current {
  fields: object;
  /** The event's number. */
  event: number;
  /** By predicate: twice the number of the event it was answered for, plus one where it holds. */
  readonly marks: Int32Array;
  /** Reads a field that is not indexed, or visits all values for the keywords; once an event. */
  readonly read: (field: Field) => void;
}

/** A predicate of values, and where it is asked. */
export interface Bound {
  readonly predicate: Predicate;
  readonly field: Field;
  /** The index marks it when it holds, so that without a mark it does not. */
  readonly isIndexed: boolean;
  readonly test: ValueTest;
  /** Its place in what is remembered with a value; -1 when the answer depends on more than the value. */
  readonly place: number;
}

/** Compiles formulas; every predicate is answered at most once an event. */
export function createEvaluator(
  current: Current,
  bind: (predicate: Predicate) => Bound,
): (formula: Interned) => Holds {
  const holdsById: Holds[] = [];
  return compile;

  function compile(formula: Interned): Holds {
    switch (formula.kind) {
      case "constant": {
        const { holds } = formula;
        return () => holds;
      }
      case "not": {
        const inner = compile(formula.of);
        return () => !inner();
      }
      case "and":
        return every(formula.of.toSorted((a, b) => effortOf(a) - effortOf(b)).map(compile));
      case "or":
        return some(formula.of.toSorted((a, b) => effortOf(a) - effortOf(b)).map(compile));
      case "predicate":
        return (holdsById[formula.predicate.id] ??= compilePredicate(bind(formula.predicate)));
      default:
        return formula satisfies never;
    }
  }

  /** What is asked first: what is known already, then what is quickly told. */
  function effortOf(formula: Interned): number {
    if (formula.kind === "constant") return 0;
    if (formula.kind === "not") return effortOf(formula.of);
    if (formula.kind !== "predicate") return Math.max(...formula.of.map(effortOf)) + formula.of.length;
    const { question } = formula.predicate;
    if (question.kind === "null" || question.kind === "exists") return 1;
    if (bind(formula.predicate).isIndexed) return 2;
    return question.kind === "keywords" ? 1000 : 10 + Math.min(question.tests.length, 100);
  }

  function compilePredicate(bound: Bound): Holds {
    const { field, predicate } = bound;
    const { marks } = current;
    const { id, question } = predicate;
    const isPresent = () => {
      if (field.readFor !== current.event) current.read(field);
      return field.event === current.event;
    };
    if (question.kind === "exists") return isPresent;
    if (question.kind === "null") return () => !isPresent() || field.hasNull;
    if (bound.isIndexed) return () => marks[id] === current.event * 2 + 1;
    return () => {
      const mark = marks[id] ?? 0;
      if (mark >> 1 === current.event) return (mark & 1) === 1;
      const holds = isPresent() && passesAny(bound, current.fields);
      marks[id] = current.event * 2 + (holds ? 1 : 0);
      return holds;
    };
  }
}

function passesAny(bound: Bound, fields: object): boolean {
  const { field } = bound;
  if (!field.recalled) recall(field);
  for (let i = 0; i < field.count; i += 1) {
    const subject = field.subjects[i];
    if (subject && passes(bound, subject, fields)) return true;
  }
  return false;
}

function passes({ test, place }: Bound, subject: Subject, fields: object): boolean {
  const { answers } = subject;
  if (answers === undefined || place < 0 || place >= answers.length) return test(subject, fields);
  const known = answers[place] ?? 0;
  if (known > 0) return known === 2;
  const answer = test(subject, fields);
  answers[place] = answer ? 2 : 1;
  return answer;
}

function every(parts: readonly Holds[]): Holds {
  const [first, second] = parts;
  if (first && second && parts.length === 2) return () => first() && second();
  return () => {
    for (const part of parts) if (!part()) return false;
    return true;
  };
}

function some(parts: readonly Holds[]): Holds {
  const [first, second] = parts;
  if (first && second && parts.length === 2) return () => first() || second();
  return () => {
    for (const part of parts) if (part()) return true;
    return false;
  };
}
