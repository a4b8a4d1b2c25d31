/** Code points as ascending ranges that neither touch nor overlap. */
export type CharacterSet = readonly (readonly [first: number, last: number])[];

/** U+0000 is in no stored text, and PostgreSQL cannot say it. */
const firstCodePoint = 1;
const lastCodePoint = 0x10ffff;

/** Ranges in any order as a set. */
export function setOf(ranges: CharacterSet): CharacterSet {
  const set: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = set.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else set.push([first, last]);
  }
  return set;
}

export function complementOf(set: CharacterSet): CharacterSet {
  const rest: [number, number][] = [];
  let next = firstCodePoint;
  for (const [first, last] of set) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= lastCodePoint) rest.push([next, lastCodePoint]);
  return rest;
}

/** The set as it is of texts without capitals: its A to Z become a to z. */
export function foldSet(set: CharacterSet): CharacterSet {
  const small = set.flatMap(([first, last]) => {
    const [from, to] = [Math.max(first, 0x41), Math.min(last, 0x5a)];
    return from <= to ? [[from + 0x20, to + 0x20] as const] : [];
  });
  return setOf([...set, ...small]);
}

/** The set without regard to ASCII's case. */
export function spreadSet(set: CharacterSet): CharacterSet {
  const capitals = set.flatMap(([first, last]) => {
    const [from, to] = [Math.max(first, 0x61), Math.min(last, 0x7a)];
    return from <= to ? [[from - 0x20, to - 0x20] as const] : [];
  });
  return foldSet(setOf([...set, ...capitals]));
}

/** The set as both engines write it; code points are told by their numbers, which `write` does. */
export function writeSet(set: CharacterSet, write: (codePoint: number) => string): string {
  const [only] = set;
  if (set.length === 1 && only && only[0] === only[1]) return write(only[0]);
  const isMost = set.at(-1)?.[1] === lastCodePoint;
  const ranges = isMost ? complementOf(set) : set;
  // Everything there is; neither engine can write an empty class.
  if (ranges.length === 0) return `[${write(firstCodePoint)}-${write(lastCodePoint)}]`;
  const written = ranges.map(([first, last]) =>
    first === last ? write(first) : `${write(first)}-${write(last)}`,
  );
  return `[${isMost ? "^" : ""}${written.join("")}]`;
}

const digit: CharacterSet = [[0x30, 0x39]];
const upper: CharacterSet = [[0x41, 0x5a]];
const lower: CharacterSet = [[0x61, 0x7a]];
const alpha = [...upper, ...lower];
const word = setOf([...digit, ...alpha, [0x5f, 0x5f]]);

/** RE2's classes are of ASCII; its `\s` is without the vertical tab. */
const blank: CharacterSet = setOf([
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
]);

export const escapedClasses: Readonly<Record<string, CharacterSet>> = {
  d: digit,
  D: complementOf(digit),
  w: word,
  W: complementOf(word),
  s: blank,
  S: complementOf(blank),
};

/** What stands between `[:` and `:]` within a class. */
export const namedClasses: Readonly<Record<string, CharacterSet>> = {
  alnum: setOf([...digit, ...alpha]),
  alpha: setOf(alpha),
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  digit,
  lower,
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper,
  word,
  xdigit: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
};

/** `.`: anything but the end of a line. */
export const notNewline: CharacterSet = complementOf([[0x0a, 0x0a]]);
export const anything: CharacterSet = [[firstCodePoint, lastCodePoint]];
