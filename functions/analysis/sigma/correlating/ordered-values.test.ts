import { array, assert, boolean, nat, property, tuple } from "fast-check";
import { expect, test, vi } from "vitest";

import { createOrderedValues } from "./ordered-values.ts";

// Hundreds of drawn streams each: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

/** Enough numbers that chunks are cut, and few enough different ones that they repeat. */
const steps = array(tuple(boolean(), nat({ max: 2000 })), { minLength: 1500, maxLength: 4000, size: "max" });

test("numbers come in ascending order, whatever was added and removed in between", () => {
  assert(
    property(steps, (steps) => {
      const values = createOrderedValues();
      const plain: number[] = [];
      for (const [isRemoved, value] of steps) {
        const index = plain.indexOf(value);
        if (isRemoved && index >= 0) plain.splice(index, 1);
        if (isRemoved) values.remove(value);
        else {
          values.add(value);
          plain.push(value);
        }
      }
      const sorted = plain.toSorted((a, b) => a - b);
      expect(values.size).toBe(sorted.length);
      expect(sorted.map((_, index) => values.at(index + 1))).toEqual(sorted);
    }),
    { numRuns: 30 },
  );
});

test("what was emptied fills again", () => {
  const values = createOrderedValues();
  for (let round = 0; round < 3; round += 1) {
    for (let value = 2000; value > 0; value -= 1) values.add(value);
    expect([values.at(1), values.at(1000), values.at(2000), values.size]).toEqual([1, 1000, 2000, 2000]);
    for (let value = 1; value <= 2000; value += 1) values.remove(value);
    expect([values.size, values.at(1)]).toEqual([0, Number.NaN]);
  }
});
