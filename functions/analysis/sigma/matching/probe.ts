import type { Test } from "../language/expression.ts";
import { atomsOf } from "./atoms.ts";
import { createScan, type Needle } from "./scanner.ts";
import { createSubject, type Subject, textOf } from "./subject.ts";
import type { ValueTest } from "./value-matcher.ts";

/** An indexed predicate of one field; what it answers follows from the value alone. */
export interface Indexed {
  readonly id: number;
  readonly tests: readonly Test[];
  readonly test: ValueTest;
}

/**
 * Tells which of a field's indexed predicates hold for a value, and ends with -1. Without `keep` the
 * answer is good until the next call.
 */
export type Probe = (subject: Subject, keep: boolean) => Int32Array;

const none = Int32Array.of(-1);
/** Rounds are kept in 32 bits. */
const lastRound = 2 ** 30;
const nothing = {};

/** Compiles the indexed predicates of a field, so that one look at a value answers all of them. */
export function createProbe(predicates: readonly Indexed[]): Probe {
  const atoms = predicates.map(({ tests }) => tests.flatMap(atomsOf));
  const always = atoms.flatMap((of, i) => (of.some(({ kind }) => kind === "any") ? [i << 1] : []));
  const needles = atoms.flatMap((of, i) =>
    of.flatMap((atom) => (atom.kind === "literal" ? [fileAs(i, atom)] : [])),
  );
  const scan = needles.length > 0 ? createScan(needles) : undefined;
  const seen = new Int32Array(predicates.length);
  const found = new Int32Array(predicates.length + 1);
  let round = 0;
  let count = 0;
  let current = createSubject();
  const report = (item: number, exact: boolean) => {
    const index = item >> 1;
    const predicate = predicates[index];
    if (seen[index] === round || !predicate) return;
    // What only may hold is decided here once and for all: the whole predicate is asked, not one test.
    seen[index] = round;
    if ((exact && (item & 1) === 1) || predicate.test(current, nothing)) found[count++] = predicate.id;
  };
  return (subject, keep) => {
    const text = textOf(subject);
    if (text === undefined) return none;
    round += 1;
    if (round === lastRound) {
      seen.fill(0);
      round = 1;
    }
    count = 0;
    current = subject;
    for (const item of always) report(item, false);
    scan?.(text, report);
    if (count === 0) return none;
    found[count] = -1;
    return keep ? found.slice(0, count + 1) : found;
  };
}

/** A needle's item is twice the predicate's place in the list, plus one where seeing it is enough. */
function fileAs(index: number, atom: { literal: string; place: Needle["place"]; exact: boolean }): Needle {
  return { literal: atom.literal, place: atom.place, item: (index << 1) | (atom.exact ? 1 : 0) };
}
