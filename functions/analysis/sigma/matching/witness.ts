import { type Atom, atomsOf } from "./atoms.ts";
import type { Interned, Predicate } from "./predicates.ts";

/** Whether looking at one value decides the predicate; where not, the field being there is its witness. */
export function isIndexable({ question }: Predicate): boolean {
  if (question.kind === "null" || question.kind === "exists") return false;
  return !question.tests.some(({ kind }) => kind === "fieldref");
}

/**
 * Predicates of which at least one holds whenever the formula does; `undefined` when there are none, so
 * that the formula has to be evaluated for every event. Of several sets the one that costs least: over
 * `and` any part will do, over `or` every part must have its own, and under `not` nothing must hold.
 */
export type WitnessesOf = (formula: Interned) => readonly Predicate[] | undefined;

interface Weighed {
  readonly predicates: readonly Predicate[];
  readonly cost: number;
}

/** Chooses witnesses among these predicates, which are all that the rules of one index ask. */
export function createWitnesses(predicates: readonly Predicate[]): WitnessesOf {
  const costOf = createCosts(predicates);
  return (formula) => weigh(formula)?.predicates;

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
        return cheapest(formula.of.flatMap((part) => weigh(part) ?? []));
      case "or": {
        const parts = formula.of.flatMap((part) => weigh(part) ?? []);
        if (parts.length < formula.of.length) return undefined;
        return {
          predicates: parts.flatMap((part) => part.predicates),
          cost: parts.reduce((sum, { cost }) => sum + cost, 0),
        };
      }
      default:
        return formula satisfies never;
    }
  }
}

function cheapest(all: readonly Weighed[]): Weighed | undefined {
  return all.reduce<Weighed | undefined>(
    (best, one) => (best && best.cost <= one.cost ? best : one),
    undefined,
  );
}

/**
 * About how often a predicate holds, in events of a thousand. What the rules themselves say of the log is
 * used for it: a text that many of them mention (also those that exclude it) is one the log is full of,
 * and a field of which they know few texts has few.
 */
function createCosts(predicates: readonly Predicate[]): (predicate: Predicate) => number | undefined {
  const atoms = predicates.map(({ question }) =>
    question.kind === "field" || question.kind === "keywords" ? question.tests.flatMap(atomsOf) : [],
  );
  const mentions = new Map<string, number>();
  const texts = new Map<string, Set<string>>();
  for (const { id, question, uses } of predicates) {
    const field = question.kind === "keywords" ? "" : question.field;
    for (const atom of atoms[id] ?? []) {
      if (atom.kind !== "literal") continue;
      const key = `${field} ${atom.literal}`;
      mentions.set(key, (mentions.get(key) ?? 0) + uses);
      texts.set(field, (texts.get(field) ?? new Set()).add(atom.literal));
    }
  }
  const costOfAtom = (atom: Atom, field: string): number => {
    if (atom.kind === "any") return 1000;
    const popular = 1 + Math.log2(mentions.get(`${field} ${atom.literal}`) ?? 1) / 2;
    const few = atom.place === "anywhere" ? 0 : 600 / (texts.get(field)?.size ?? 1);
    return lengthCost(atom) * popular + few;
  };
  return (predicate) => {
    const { question, id } = predicate;
    if (question.kind === "null") return undefined;
    if (question.kind === "exists") return 900;
    // Keywords have no field whose presence could stand for them.
    if (question.kind === "keywords" && !isIndexable(predicate)) return undefined;
    const field = question.kind === "keywords" ? "" : question.field;
    const each = (atoms[id] ?? []).map((atom) => costOfAtom(atom, field));
    const most = each.reduce((max, cost) => Math.max(max, cost), 0);
    // Many alternatives are met more often than one, but lists are mostly long because each is rare.
    const list = most * (1 + Math.log2(each.length) / 4);
    return question.kind === "keywords" ? list * 3 + 300 : list;
  };
}

function lengthCost(atom: Extract<Atom, { kind: "literal" }>): number {
  const { length } = atom.literal;
  if (atom.place === "whole") return length > 2 ? 10 : 100;
  if (length < 4) return 500;
  const long = length >= 8;
  if (atom.place === "anywhere") return (long ? 30 : 90) + (atom.exact ? 0 : 20);
  return (long ? 15 : 40) + (atom.exact ? 0 : 20);
}
