import { createSubject, type Subject } from "./subject.ts";

/**
 * What is known of the values a field had lately. Audit logs say the same few things over and over (names
 * of actions, programs, agents), so one look-up often stands for all that would be asked of a value. It
 * remembers what follows from the value alone, so an answer from memory is the answer.
 */
export interface Memory {
  /** What is known of a value; `undefined` when nothing is. */
  recall(value: unknown): Subject | undefined;
  /** A subject to fill for a value that was not recalled; `undefined` when it is not worth keeping. */
  keep(value: unknown): Subject | undefined;
}

const mostValues = 512;
/** Longer texts are looked at anew; they repeat less, and are what would fill the memory. */
const longestText = 256;
/** After so many look-ups it is weighed whether they were worth it. */
const period = 4096;
/** At first, and at most, so many periods pass without remembering when they were not. */
const longestRest = 64;

/** Bounded: 512 values of up to 256 characters. It forgets all when its values stopped coming, and rests when none repeat. */
export function createMemory(): Memory {
  const known = new Map<unknown, Subject>();
  let lookups = 0;
  let misses = 0;
  let resting = 0;
  let rest = 1;
  const weigh = () => {
    const worthIt = misses * 2 < lookups;
    lookups = 0;
    misses = 0;
    if (resting > 0) resting -= 1;
    else if (worthIt) rest = 1;
    else {
      known.clear();
      resting = rest;
      rest = Math.min(rest * 2, longestRest);
    }
  };
  return {
    recall: (value) => {
      lookups += 1;
      if (lookups >= period) weigh();
      if (resting > 0 || !isKept(value)) return undefined;
      const subject = known.get(value);
      if (subject === undefined) misses += 1;
      return subject;
    },
    keep: (value) => {
      if (resting > 0 || known.size >= mostValues || !isKept(value)) return undefined;
      const subject = createSubject();
      known.set(value, subject);
      return subject;
    },
  };
}

/** Objects are not kept: they may change, and hold much. */
function isKept(value: unknown): boolean {
  if (typeof value === "string") return value.length <= longestText;
  return typeof value === "number" || typeof value === "boolean";
}
