import { array, assert, constantFrom, property, subarray } from "fast-check";
import { expect, test } from "vitest";

import { createRank, createSum, toNumber } from "./numbers.ts";

test.for([
  ["0", 0],
  ["-12.50", -12.5],
  ["+3", 3],
  [".5", 0.5],
  ["5.", 5],
  ["1e3", 1000],
  ["1E-3", 0.001],
] as const)("%j is the number %d", ([text, value]) => expect(toNumber(text)).toBe(value));

test.for(["", " 1", "1 ", "0x10", "1,5", "1e999", "NaN", "Infinity", "--1", ".", "e3", "١", "true"])(
  "%j is no number",
  (text) => expect(toNumber(text)).toBeUndefined(),
);

const numbers = [0.1, 0.2, 0.7, -0.3, 1e16, 1, 3, -1e16, 1e300, 1e-300, 5e-324, 123_456.789];

test("a sum depends neither on the order of what came nor on what went again", () => {
  assert(
    property(array(constantFrom(...numbers)), subarray(numbers), (added, gone) => {
      const plain = createSum();
      for (const value of added) plain.add(value);
      const moved = createSum();
      for (const value of [...gone, ...added.toReversed()]) moved.add(value);
      for (const value of gone) moved.remove(value);
      expect(moved.toNumber()).toBe(plain.toNumber());
      for (const operand of numbers) {
        expect(moved.compare(operand, 1)).toBe(plain.compare(operand, 1));
      }
    }),
  );
});

test.for([
  [[0.1, 0.2], 0.3, 1, 0],
  [[0.1, 0.2], 0.15, 2, 0],
  [[1e16, 1, -1e16], 1, 1, 0],
  [[1, 1, 2], 1.3, 3, 1],
  [[1, 1, 2], 1.4, 3, -1],
  [[1e300, 5e-324], 1e300, 1, 1],
  [[], 0, 1, 0],
] as const)("the sum of %j and %d times %d compare as %d", ([values, operand, times, order]) => {
  const sum = createSum();
  for (const value of values) sum.add(value);
  expect(sum.compare(operand, times)).toBe(order);
});

test.for([
  [0, 10, 1],
  [7, 100, 7],
  [50, 1, 1],
  [50, 3, 2],
  [90, 10, 9],
  [95, 10, 10],
  [99.9, 1000, 999],
  [99.99, 1000, 1000],
  [100, 17, 17],
] as const)("the %d. percentile of %d values is number %d", ([percentile, count, rank]) => {
  expect(createRank(percentile)(count)).toBe(rank);
});
