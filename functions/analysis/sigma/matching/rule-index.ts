import type { Expression } from "../language/expression.ts";
import { atomsOf } from "./atoms.ts";
import { createCollect } from "./collect.ts";
import { type Bound, createEvaluator, type Current, type Holds } from "./evaluator.ts";
import { add, begin, createField, type Field } from "./field.ts";
import { normalise } from "./normalise.ts";
import { holds } from "./plain.ts";
import { createInterner, type Interned, type Predicate } from "./predicates.ts";
import { createProbe } from "./probe.ts";
import { isAscii } from "./regex.ts";
import { compileTests } from "./value-test.ts";
import { createWalk } from "./walk.ts";
import { createWitnesses, isIndexable } from "./witness.ts";

/** Finds which of many detections hold for an event. */
export interface RuleIndex<Item> {
  /** The items whose detections hold, in their order; one frozen empty list when there are none. Never throws. */
  match(fields: object): readonly Item[];
}

const nothing: readonly never[] = Object.freeze([]);
/** Events are counted in 30 bits, because their numbers are kept doubled in 32. */
const lastEvent = 2 ** 29;

/**
 * Compiles detections so that the cost of an event hardly depends on how many there are. Every detection
 * is filed under predicates of which one must be true for it to hold (its witnesses); the values of an
 * event are looked up among all of those at once, and only the detections that were found there are
 * evaluated, each predicate at most once an event. Nothing is allocated for an event without a match.
 */
export function createRuleIndex<Item extends { readonly detection: Expression }>(
  items: readonly Item[],
): RuleIndex<Item> {
  const { formulas, predicates } = internAll(items);
  const current = {
    fields: nothing as object,
    event: 0,
    marks: new Int32Array(predicates.length),
    walkKeywords: () => walkKeywords(),
  } satisfies Current;
  const filed = fileUnderWitnesses(formulas, predicates);
  const binding = bindAll(predicates, filed);
  const compile = createEvaluator(current, binding.bind);
  const holdsByRule: Holds[] = formulas.map(compile);
  const stamps = new Int32Array(items.length);
  const candidates = new Int32Array(items.length);
  let candidateCount = 0;
  const matched = new Int32Array(items.length);
  let busy = false;

  const addRules = (rules: Int32Array) => {
    for (let i = 0; i < rules.length; i += 1) {
      const rule = rules[i] ?? 0;
      if (stamps[rule] === current.event) continue;
      stamps[rule] = current.event;
      candidates[candidateCount++] = rule;
    }
  };
  const raise = (hits: Int32Array | undefined) => {
    if (hits === undefined) return;
    const mark = current.event * 2 + 1;
    for (let i = 0; ; i += 1) {
      const id = hits[i] ?? -1;
      if (id < 0) return;
      if (current.marks[id] === mark) continue;
      current.marks[id] = mark;
      const rules = binding.rulesOf[id];
      if (rules) addRules(rules);
    }
  };
  const collect = createCollect(binding.fields, {
    restart: nextEvent,
    onField: ({ rules }) => addRules(rules),
    onValue: ({ hits }) => raise(hits),
  });
  const { keywords } = binding;
  const walk = createWalk((value) => {
    // Where all keywords are indexed nobody asks for the values themselves.
    if (typeof value === "string" && value.length < keywords.least && keywords.asked === 0) return;
    raise(add(keywords, value).hits);
  });

  function walkKeywords(): void {
    if (keywords.event === current.event) return;
    begin(keywords, current.event, 0);
    walk(current.fields);
  }

  function nextEvent(): number {
    if (current.event >= lastEvent) {
      current.event = 0;
      current.marks.fill(0);
      stamps.fill(0);
      for (const field of [...binding.fields, keywords]) field.event = -1;
    }
    current.event += 1;
    candidateCount = 0;
    return current.event;
  }

  function find(): number {
    collect(current.fields, nextEvent());
    if (keywords.probe) walkKeywords();
    addRules(filed.always);
    let count = 0;
    for (let i = 0; i < candidateCount; i += 1) {
      const rule = candidates[i] ?? 0;
      if (holdsByRule[rule]?.() === true) matched[count++] = rule;
    }
    return count;
  }

  return {
    match: (fields) => {
      // A getter of the event has matched another event: there is only one of everything above.
      if (busy) return items.filter(({ detection }) => holds(detection, fields));
      busy = true;
      current.fields = fields;
      try {
        const count = find();
        if (count === 0) return nothing;
        return Array.from(matched.subarray(0, count).sort(), (rule) => items[rule]).filter(
          (item) => item !== undefined,
        );
      } finally {
        current.fields = nothing;
        busy = false;
      }
    },
  };
}

function internAll(items: readonly { readonly detection: Expression }[]) {
  const interner = createInterner();
  const formulas = items.map(({ detection }) => interner.intern(normalise(detection)));
  return { formulas, predicates: interner.predicates };
}

interface Filed {
  /** Rules by the predicate they are filed under. */
  readonly byPredicate: ReadonlyMap<number, readonly number[]>;
  /** Rules without a witness, which are evaluated for every event. */
  readonly always: Int32Array;
}

function fileUnderWitnesses(formulas: readonly Interned[], predicates: readonly Predicate[]): Filed {
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
function bindAll(predicates: readonly Predicate[], { byPredicate }: Filed) {
  const byName = new Map<string, Field>();
  const keywords = createField("", { remembers: false });
  const rulesOf: (Int32Array | undefined)[] = [];
  const bound = predicates.map((predicate): Bound => {
    const { question, id } = predicate;
    const field = question.kind === "keywords" ? keywords : fieldOf(question.field, byName);
    const rules = byPredicate.get(id);
    const isIndexed = rules !== undefined && isIndexable(predicate);
    if (isIndexed) rulesOf[id] = Int32Array.from(rules);
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
  return {
    fields: [...byName.values()],
    keywords,
    rulesOf,
    bind: ({ id }: Predicate): Bound => {
      const found = bound[id];
      if (!found) throw new RangeError(`There is no predicate ${id}.`);
      return found;
    },
  };
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
