import { describe, expect, test } from "vitest";

import { compare, format, median, quantile, toReport } from "./measure.ts";

describe("median", () => {
  test.for([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ] as const)("of %j is %d", ([values, expected]) => {
    expect(median(values)).toBe(expected);
  });

  test("of nothing is no number", () => {
    expect(median([])).toBeNaN();
  });

  test("leaves its argument in its order", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("quantile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test.for([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ] as const)("%d of 1 to 100 is %d", ([share, expected]) => {
    expect(quantile(hundred, share)).toBe(expected);
  });
});

describe("a report", () => {
  const measured = [
    { name: "baseline", samples: [10, 30, 20] },
    { name: "twice", samples: [40, 41, 39], aim: { atMost: 2 }, note: "as hoped" },
    { name: "thrice", samples: [60], aim: { atMost: 2 } },
    { name: "half", samples: [10, 10], aim: { atLeast: 0.8 } },
    { name: "close", samples: [18], aim: { atLeast: 0.8, atMost: 1.5 } },
  ];
  const { rows } = toReport("Things", "ms", measured);

  test("compares medians with the first subject's", () => {
    expect(rows.map(({ ratio }) => ratio)).toEqual([1, 2, 3, 0.5, 0.9]);
  });

  test("says of every aim whether it is met, its bound included", () => {
    expect(rows.map(({ met }) => met)).toEqual([undefined, true, false, false, true]);
  });

  test("is printed as columns", () => {
    expect(format({ title: "Things", rows }).split("\n")).toEqual([
      "",
      "Things",
      "baseline  20.0 ms  1.00 x",
      "twice     40.0 ms  2.00 x                 <= 2 x aim met  as hoped",
      "thrice    60.0 ms  3.00 x             <= 2 x aim NOT MET",
      "half      10.0 ms  0.50 x           >= 0.8 x aim NOT MET",
      "close     18.0 ms  0.90 x  >= 0.8 x and <= 1.5 x aim met",
    ]);
  });

  test.for([
    [1234.5, "1235 ms"],
    [12.34, "12.3 ms"],
    [1.234, "1.23 ms"],
  ] as const)("shows %d as %s", ([value, expected]) => {
    const report = toReport("", "ms", [{ name: "row", samples: [value] }]);
    expect(format(report)).toContain(`row  ${expected}  `);
  });
});

test("subjects take turns, round after round", async () => {
  const calls: string[] = [];
  const subject = (name: string) => ({ name, measure: async () => calls.push(name) });
  const { rows } = await compare("", { rounds: 3, unit: "calls", subjects: [subject("a"), subject("b")] });
  expect(calls).toEqual(["a", "b", "a", "b", "a", "b"]);
  expect(rows.map(({ median }) => median)).toEqual([3, 4]);
});
