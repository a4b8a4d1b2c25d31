import { expect, test } from "vitest";

import { createMemoryState } from "./memory.ts";
import { stateConformance } from "./state.conformance.ts";

stateConformance("memory state", async () => createMemoryState({ now: Date.now }));

test("a mark of once holds for its time and no longer", async () => {
  let now = 0;
  await using state = createMemoryState({ now: () => now });
  expect(await state.once("k", 100)).toBe(true);
  now = 99;
  expect(await state.once("k", 100)).toBe(false);
  now = 100;
  expect(await state.once("k", 100)).toBe(true);
});
