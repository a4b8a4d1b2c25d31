import { createMemory, type Memory } from "./memory.ts";
import type { Probe } from "./probe.ts";
import { assign, createSubject, type Subject } from "./subject.ts";

/** A field of the event being matched: what it holds there. One object, used again for every event. */
export interface Field {
  readonly name: string;
  /** The event this is about, by its number; for any other event the field is absent. */
  event: number;
  /** The way by which its values were found (see `collect.ts`). */
  route: number;
  hasNull: boolean;
  /** How many of the subjects are in use: one for each value that is not null, in order. */
  count: number;
  readonly subjects: (Subject | undefined)[];
  /** The field's own subjects, for values that are not in its memory. */
  readonly scratch: Subject[];
  /** `undefined` for keywords: most of all values of an event are seen once and never again. */
  readonly memory: Memory | undefined;
  /** Looks values up in the index; without one, values are only kept for who may ask. */
  probe: Probe | undefined;
  /** The rules that may hold as soon as the field is there. */
  rules: Int32Array;
  /** How many predicates ask the field without being indexed; their answers are remembered with a value. */
  asked: number;
  /** Shorter texts cannot pass anything that is indexed. */
  least: number;
  /** The event for which it was read last, where it is read only when a rule asks for it. */
  readFor: number;
  /** Whether the subjects were looked for in memory. */
  recalled: boolean;
}

/** Fields keep at most so many subjects from one event to the next. */
const mostKept = 64;
/** Beyond this many predicates, remembering their answers with every value takes too much memory. */
const mostAnswers = 2048;

export function createField(name: string, { remembers } = { remembers: true }): Field {
  return {
    name,
    event: -1,
    route: -1,
    hasNull: false,
    count: 0,
    subjects: [],
    scratch: [],
    memory: remembers ? createMemory() : undefined,
    probe: undefined,
    rules: new Int32Array(0),
    asked: 0,
    least: 0,
    readFor: -1,
    recalled: false,
  };
}

/** Before the numbers of events begin anew. */
export function forget(field: Field): void {
  field.event = -1;
  field.readFor = -1;
}

/** Makes the field one of another event, without values yet. */
export function begin(field: Field, event: number, route: number): void {
  field.event = event;
  field.route = route;
  field.hasNull = false;
  field.recalled = field.probe !== undefined;
  if (field.count > mostKept) {
    field.subjects.length = mostKept;
    field.scratch.length = mostKept;
  }
  field.count = 0;
}

/** Adds a value that is neither null nor undefined; the subject has its hits when the field is indexed. */
export function add(field: Field, value: unknown): Subject {
  const subject = field.probe ? remember(field, field.count, value) : fresh(field, field.count, value);
  field.subjects[field.count] = subject;
  field.count += 1;
  if (field.probe && subject.hits === undefined)
    subject.hits = field.probe(subject, subject.answers !== undefined);
  return subject;
}

function fresh(field: Field, index: number, value: unknown): Subject {
  const subject = (field.scratch[index] ??= createSubject());
  subject.hits = undefined;
  return assign(subject, value);
}

/** The subject memory has for a value, or a new one there, or one of the field's own. */
function remember(field: Field, index: number, value: unknown): Subject {
  const known = field.memory?.recall(value);
  if (known) return known;
  const kept = field.memory?.keep(value);
  if (!kept) return fresh(field, index, value);
  kept.answers = new Uint8Array(Math.min(field.asked, mostAnswers));
  return assign(kept, value);
}

/** The subject of a value, from memory where it is there: asked for only when a rule asks for the field. */
export function recall(field: Field): void {
  field.recalled = true;
  for (let i = 0; i < field.count; i += 1) field.subjects[i] = remember(field, i, field.subjects[i]?.value);
}
