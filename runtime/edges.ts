import { randomBytes, randomUUID } from "node:crypto";

import type { RandomHex } from "./tracing.ts";

/** Where time, chance and identity come from; everything else gets them as parameters. */
export interface Edges {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly randomHex: RandomHex;
}

/** Those of a running process. */
export const processEdges: Edges = {
  now: Date.now,
  random: Math.random,
  newId: randomUUID,
  randomHex: (bytes) => randomBytes(bytes).toString("hex"),
};
