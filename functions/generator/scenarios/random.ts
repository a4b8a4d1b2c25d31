/** A stream of chance that is the same for the same beginning. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number of the range, both ends included. */
  between(low: number, high: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** Some of the choices, each at most once, in a random order. */
  sample<T>(choices: readonly T[], count: number): readonly T[];
}

/** Chance drawn from two whole numbers: a seed, and what of that seed is to be drawn. */
export function createRandom(seed: number, stream: number): Random {
  let state = scramble(scramble(seed) ^ Math.imul(stream + 1, 0x9e3779b9) ^ Math.floor(stream / 2 ** 32));
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    return (scramble(state) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    pick: (choices) => choices[between(0, choices.length - 1)] ?? choices[0],
    sample(choices, count) {
      const left = [...choices];
      return Array.from({ length: Math.min(count, left.length) }, () =>
        left.splice(between(0, left.length - 1), 1),
      ).flat();
    },
  };
}

/** A bijection of 32-bit numbers under which neighbours end up far apart (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
