import { createSeededRandom } from "../../runtime/failpoints.ts";

/** Decisions that are the same for the same seed. */
export interface Chance {
  /** In [0, 1). */
  readonly random: () => number;
  happens(probability: number): boolean;
  /** Whole, from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
}

export function createChance(seed: number): Chance {
  const random = createSeededRandom(seed);
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  return {
    random,
    happens: (probability) => random() < probability,
    between,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new Error("There is nothing to pick from.");
      return items[between(0, items.length - 1)] as T;
    },
  };
}
