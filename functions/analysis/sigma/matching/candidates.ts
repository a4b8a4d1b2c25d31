import type { Current } from "./evaluator.ts";

/** The rules that may hold for the event being matched, each once. */
export interface Candidates {
  /** The first `count()` of them. */
  readonly rules: Int32Array;
  readonly count: () => number;
  readonly add: (rules: Int32Array) => void;
  /** Marks predicates as holding and adds the rules filed under them; the list ends with -1. */
  readonly raise: (hits: Int32Array | undefined) => void;
  readonly clear: () => void;
  /** Before the numbers of events begin anew. */
  readonly forget: () => void;
}

/** `rulesOf`: the rules filed under each predicate. */
export function createCandidates(
  ruleCount: number,
  current: Current,
  rulesOf: readonly (Int32Array | undefined)[],
): Candidates {
  const { marks } = current;
  const stamps = new Int32Array(ruleCount);
  const rules = new Int32Array(ruleCount);
  let count = 0;
  const add = (added: Int32Array) => {
    for (let i = 0; i < added.length; i += 1) {
      const rule = added[i] ?? 0;
      if (stamps[rule] === current.event) continue;
      stamps[rule] = current.event;
      rules[count++] = rule;
    }
  };
  const raise = (hits: Int32Array | undefined) => {
    if (hits === undefined) return;
    const mark = current.event * 2 + 1;
    for (let i = 0; ; i += 1) {
      const id = hits[i] ?? -1;
      if (id < 0) return;
      if (marks[id] === mark) continue;
      marks[id] = mark;
      const filed = rulesOf[id];
      if (filed) add(filed);
    }
  };
  return {
    rules,
    count: () => count,
    add,
    raise,
    clear: () => {
      count = 0;
    },
    forget: () => stamps.fill(0),
  };
}
