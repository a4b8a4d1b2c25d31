import { fold } from "../language/pattern.ts";
import { toText } from "./values.ts";

/**
 * One value of an event as tests look at it. Mutable and used again: for the next event, or, where it is
 * kept in a field's memory, for every event that has the same value.
 */
export interface Subject {
  value: unknown;
  /** Filled when first asked for. */
  text: string | undefined;
  folded: string | undefined;
  textKnown: boolean;
  /** The indexed predicates that hold for the value, where it is kept in memory. */
  hits: Int32Array | undefined;
  /** By a predicate's number within its field: 0 not asked yet, 1 false, 2 true. */
  answers: Uint8Array | undefined;
}

export function createSubject(): Subject {
  return {
    value: undefined,
    text: undefined,
    folded: undefined,
    textKnown: false,
    hits: undefined,
    answers: undefined,
  };
}

/** Makes a subject stand for another value. */
export function assign(subject: Subject, value: unknown): Subject {
  subject.value = value;
  subject.folded = undefined;
  subject.textKnown = typeof value === "string";
  subject.text = typeof value === "string" ? value : undefined;
  return subject;
}

/** The text the value is compared by; `undefined` when it has none. */
export function textOf(subject: Subject): string | undefined {
  if (!subject.textKnown) {
    subject.text = toText(subject.value);
    subject.textKnown = true;
  }
  return subject.text;
}

/** The text folded; only for subjects that have one. */
export function foldedOf(subject: Subject): string {
  return (subject.folded ??= fold(textOf(subject) ?? ""));
}
