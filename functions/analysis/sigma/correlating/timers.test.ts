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
