import type { Expression } from "../language/expression.ts";
import { type Candidates, createCandidates } from "./candidates.ts";
import { createCollect } from "./collect.ts";
import { createEvaluator, type Current, type Holds } from "./evaluator.ts";
import { add, begin, type Field, forget } from "./field.ts";
import { bindAll, fileUnderWitnesses, isProbed } from "./filing.ts";
import { normalise } from "./normalise.ts";
import { holds } from "./plain.ts";
import { createInterner } from "./predicates.ts";
import { createWalk } from "./walk.ts";

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
  const marks = new Int32Array(predicates.length);
  const current: Current = { fields: nothing, event: 0, marks, read };
  const filed = fileUnderWitnesses(formulas, predicates);
  const binding = bindAll(predicates, filed);
  const holdsByRule: readonly Holds[] = formulas.map(createEvaluator(current, binding.bind));
  const candidates = createCandidates(items.length, current, binding.rulesOf);
  const matched = new Int32Array(items.length);

  const collect = createCollect(binding.fields.filter(isProbed), {
    restart: nextEvent,
    onField: ({ rules }) => candidates.add(rules),
    onValue: ({ hits }) => candidates.raise(hits),
  });
  const { keywords } = binding;
  const walk = createKeywordWalk(keywords, candidates);

  function read(field: Field): void {
    field.readFor = current.event;
    if (field === keywords) {
      begin(keywords, current.event, 0);
      walk(current.fields);
    } else binding.readLate.get(field)?.(current.fields, current.event);
  }

  function nextEvent(): number {
    if (current.event >= lastEvent) {
      current.event = 0;
      current.marks.fill(0);
      candidates.forget();
      for (const field of [...binding.fields, keywords]) forget(field);
    }
    current.event += 1;
    candidates.clear();
    return current.event;
  }

  function find(): number {
    collect(current.fields, nextEvent());
    if (keywords.probe) read(keywords);
    candidates.add(filed.always);
    let count = 0;
    for (let i = 0; i < candidates.count(); i += 1) {
      const rule = candidates.rules[i] ?? 0;
      if (holdsByRule[rule]?.() === true) matched[count++] = rule;
    }
    return count;
  }

  const guard = createGuard(current);
  return {
    match: (fields) => {
      const count = guard(fields, find);
      if (count === 0) return nothing;
      if (count > 0) return inOrder(items, matched, count);
      return items.filter(({ detection }) => holds(detection, fields));
    },
  };
}

/**
 * Runs a step for one event at a time; answers -1 when it cannot, because a getter of an event that is
 * being matched has another one matched: there is only one of everything an index remembers.
 */
function createGuard(current: Current): (fields: object, step: () => number) => number {
  let busy = false;
  return (fields, step) => {
    if (busy) return -1;
    busy = true;
    current.fields = fields;
    try {
      return step();
    } finally {
      current.fields = nothing;
      busy = false;
    }
  };
}

function createKeywordWalk(keywords: Field, candidates: Candidates): (event: object) => void {
  return createWalk((value) => {
    // Where all keywords are indexed nobody asks for the values themselves.
    if (typeof value === "string" && value.length < keywords.least && keywords.asked === 0) return;
    candidates.raise(add(keywords, value).hits);
  });
}

/** From so many on, sorting in place by insertion takes too long. */
const many = 64;

/** The items of the first so many numbers, ascending; mostly there are few, and nearly in order. */
function inOrder<Item>(items: readonly Item[], numbers: Int32Array, count: number): readonly Item[] {
  // oxlint-disable-next-line unicorn/no-array-sort -- In place is meant.
  if (count > many) numbers.subarray(0, count).sort();
  for (let i = 1; i < count; i += 1) {
    const number = numbers[i] ?? 0;
    let to = i;
    for (; to > 0 && (numbers[to - 1] ?? 0) > number; to -= 1) numbers[to] = numbers[to - 1] ?? 0;
    numbers[to] = number;
  }
  const found: Item[] = [];
  for (let i = 0; i < count; i += 1) {
    const item = items[numbers[i] ?? 0];
    if (item !== undefined) found.push(item);
  }
  return found;
}

function internAll(items: readonly { readonly detection: Expression }[]) {
  const interner = createInterner();
  const formulas = items.map(({ detection }) => interner.intern(normalise(detection)));
  return { formulas, predicates: interner.predicates };
}
