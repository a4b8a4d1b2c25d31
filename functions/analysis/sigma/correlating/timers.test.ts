import { array, assert, nat, option, property } from "fast-check";
import { expect, test } from "vitest";

import { createTimers } from "./timers.ts";

test("what is due first is taken first, whatever was added and taken in between", () => {
  assert(
    property(array(option(nat({ max: 50 })), { maxLength: 100 }), (steps) => {
      const timers = createTimers<number>();
      const plain: number[] = [];
      for (const due of steps) {
        if (due !== null) {
          timers.add(due, due);
          plain.push(due);
          plain.sort((a, b) => a - b);
        } else expect(timers.take()?.item).toBe(plain.shift());
        expect(timers.next).toBe(plain[0] ?? Number.POSITIVE_INFINITY);
      }
    }),
  );
});

test("what is of no use any more is dropped, and the order stays", () => {
  const timers = createTimers<number>();
  for (const due of [5, 3, 8, 1, 9, 2, 7]) timers.add(due, due);
  timers.keep(({ due }) => due % 2 === 1);
  expect(timers.size).toBe(5);
  expect(Array.from({ length: 5 }, () => timers.take()?.item)).toEqual([1, 3, 5, 7, 9]);
});
