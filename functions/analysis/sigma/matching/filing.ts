import { atomsOf } from "./atoms.ts";
import { createLateReader } from "./collect.ts";
import type { Bound } from "./evaluator.ts";
import { createField, type Field } from "./field.ts";
import { gramLength } from "./gram-table.ts";
import type { Interned, Predicate } from "./predicates.ts";
import { createProbe } from "./probe.ts";
import { isAscii } from "./regex.ts";
import { compileTests } from "./value-matcher.ts";
import { createWitnesses, isIndexable } from "./witness.ts";

/** Where rules are filed. */
export interface Filed {
  /** Rules by the predicate they are filed under. */
  readonly byPredicate: ReadonlyMap<number, readonly number[]>;
  /** Rules without a witness, which are evaluated for every event. */
  readonly always: Int32Array;
}

/** Files every rule under its witnesses. */
export function fileUnderWitnesses(formulas: readonly Interned[], predicates: readonly Predicate[]): Filed {
  const witnessesOf = createWitnesses(predicates);
  const byPredicate = new Map<number, number[]>();
  const always: number[] = [];
  for (const [rule, formula] of formulas.entries()) {
    const witnesses = witnessesOf(formula);
    if (!witnesses) {
      if (formula.kind !== "constant" || formula.holds) always.push(rule);
      continue;
    }
    for (const { id } of new Set(witnesses)) {
      const rules = byPredicate.get(id);
      if (rules) rules.push(rule);
      else byPredicate.set(id, [rule]);
    }
  }
  return { byPredicate, always: Int32Array.from(always) };
}

/** Gives every predicate its field, and every field its index. */
export function bindAll(predicates: readonly Predicate[], { byPredicate }: Filed) {
  const byName = new Map<string, Field>();
  const keywords = createField("", { remembers: false });
  const rulesOf: (Int32Array | undefined)[] = [];
  const looked = new Set(
    predicates.flatMap((one) =>
      byPredicate.has(one.id) && isIndexable(one) && one.question.kind === "field"
        ? [one.question.field]
        : [],
    ),
  );
  const bound = predicates.map((predicate): Bound => {
    const { question, id } = predicate;
    const field = question.kind === "keywords" ? keywords : fieldOf(question.field, byName);
    const rules = byPredicate.get(id);
    const isIndexed = isIndexable(predicate) && (rules !== undefined || isAnsweredAnyway(predicate, looked));
    if (isIndexed && rules) rulesOf[id] = Int32Array.from(rules);
    else if (rules) field.rules = Int32Array.from([...field.rules, ...rules]);
    const asksValues = question.kind === "field" || question.kind === "keywords";
    const place = !isIndexed && isIndexable(predicate) ? field.asked++ : -1;
    return {
      predicate,
      field,
      isIndexed,
      test: asksValues ? compileTests(question.tests) : () => false,
      place,
    };
  });
  for (const [field, of] of Map.groupBy(bound, (one) => one.field)) {
    const indexed = of.filter(({ isIndexed }) => isIndexed);
    if (indexed.length === 0) continue;
    field.least = leastLength(indexed);
    field.probe = createProbe(
      indexed.map(({ predicate, test }) => ({ id: predicate.id, tests: testsOf(predicate), test })),
    );
  }
  const fields = [...byName.values()];
  const late = fields.filter((field) => !isProbed(field));
  return {
    fields,
    readLate: new Map(late.map((field) => [field, createLateReader(field)])),
    keywords,
    rulesOf,
    bind: ({ id }: Predicate): Bound => {
      const found = bound[id];
      if (!found) throw new RangeError(`There is no predicate ${id}.`);
      return found;
    },
  };
}

/**
 * Whether looking a value up, which is done for the witnesses of the same field, may as well answer this
 * predicate: when it asks for nothing but literals, it then costs a few more of them and no evaluation.
 */
function isAnsweredAnyway({ question }: Predicate, looked: ReadonlySet<string>): boolean {
  if (question.kind !== "field" || !looked.has(question.field)) return false;
  return question.tests
    .flatMap(atomsOf)
    .every((atom) => atom.kind === "literal" && atom.exact && atom.literal.length >= gramLength);
}

/** Whether seeing the field can make a rule a candidate; the others are read when a candidate asks for them. */
export function isProbed({ probe, rules }: Field): boolean {
  return probe !== undefined || rules.length > 0;
}

/** The length below which no text passes any of these predicates. */
function leastLength(bound: readonly Bound[]): number {
  const atoms = bound.flatMap(({ predicate }) => testsOf(predicate).flatMap(atomsOf));
  return atoms.reduce(
    (least, atom) => Math.min(least, atom.kind === "literal" ? shortest(atom.literal) : 0),
    Number.POSITIVE_INFINITY,
  );
}

/** Folding may double the length of a text, so the text may be half as long as what is looked for in it. */
function shortest(literal: string): number {
  return isAscii(literal) ? literal.length : literal.length >> 1;
}

function fieldOf(name: string, byName: Map<string, Field>): Field {
  let field = byName.get(name);
  if (!field) {
    field = createField(name);
    byName.set(name, field);
  }
  return field;
}

function testsOf({ question }: Predicate) {
  return question.kind === "field" || question.kind === "keywords" ? question.tests : [];
}
