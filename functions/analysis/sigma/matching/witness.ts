import { type Atom, atomsOf } from "./atoms.ts";
import type { Interned, Predicate } from "./predicates.ts";

/**
 * Predicates of which at least one holds whenever the formula does; `undefined` when there are none, so
 * that the formula has to be evaluated for every event. Of several sets the one that costs least: over
 * `and` any part will do, over `or` every part must have its own, and under `not` nothing must hold.
 */
export function witnessesOf(formula: Interned): readonly Predicate[] | undefined {
  return weigh(formula)?.predicates;
}

/** Whether looking at one value decides the predicate; where not, the field being there is its witness. */
export function isIndexable({ question }: Predicate): boolean {
  if (question.kind === "null" || question.kind === "exists") return false;
  return !question.tests.some(({ kind }) => kind === "fieldref");
}

interface Weighed {
  readonly predicates: readonly Predicate[];
  /** About how often one of them holds, in events of a thousand, and what looking for them costs. */
  readonly cost: number;
}

function weigh(formula: Interned): Weighed | undefined {
  switch (formula.kind) {
    case "constant":
    case "not":
      return undefined;
    case "predicate": {
      const cost = costOf(formula.predicate);
      return cost === undefined ? undefined : { predicates: [formula.predicate], cost };
    }
    case "and":
      return formula.of
        .flatMap((part) => weigh(part) ?? [])
        .reduce<Weighed | undefined>((best, one) => (best && best.cost <= one.cost ? best : one), undefined);
    case "or": {
      const parts = formula.of.map(weigh);
      const found = parts.flatMap((part) => part ?? []);
      if (found.length < parts.length) return undefined;
      return {
        predicates: found.flatMap(({ predicates }) => predicates),
        cost: found.reduce((sum, { cost }) => sum + cost, 0),
      };
    }
    default:
      return formula satisfies never;
  }
}

const costs = new WeakMap<Predicate, number>();

/** `undefined` for what may hold without anything being there. */
function costOf(predicate: Predicate): number | undefined {
  const { question, uses } = predicate;
  if (question.kind === "null") return undefined;
  // Keywords have no field whose presence could stand for them.
  if (question.kind === "keywords" && !isIndexable(predicate)) return undefined;
  if (question.kind === "exists") return 900;
  const known = costs.get(predicate);
  if (known !== undefined) return known;
  const atoms = question.tests.flatMap(atomsOf).map(costOfAtom);
  const most = Math.max(...atoms);
  // Many alternatives are met more often than one, but lists are mostly long because each is rare.
  const list = most * (1 + Math.log2(atoms.length) / 4);
  // What many rules ask is what the log is full of, and every time it is seen all of them are tried.
  const popular = list * (1 + Math.log2(uses) / 2);
  const cost = question.kind === "keywords" ? popular * 3 + 300 : popular;
  costs.set(predicate, cost);
  return cost;
}

function costOfAtom(atom: Atom): number {
  if (atom.kind === "any") return 1000;
  const { length } = atom.literal;
  if (atom.place === "whole") return length > 2 ? 10 : 100;
  if (length < 4) return 500;
  const long = length >= 8;
  if (atom.place === "anywhere") return (long ? 30 : 90) + (atom.exact ? 0 : 20);
  return (long ? 15 : 40) + (atom.exact ? 0 : 20);
}
