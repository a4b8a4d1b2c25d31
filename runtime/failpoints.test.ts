import { expect, test } from "vitest";

import { createFailpoint, createSeededRandom, noFailpoint } from "./failpoints.ts";

const always = () => 0;

test("without a specification nothing fails and operations happen", async () => {
  const failpoint = createFailpoint("", { random: always });
  expect(failpoint).toBe(noFailpoint);
  await expect(failpoint("anywhere")).resolves.toBeUndefined();
  await expect(failpoint("anywhere", async () => 7)).resolves.toBe(7);
});

test.for([
  ["throw", 0, 0],
  ["execute-then-throw", 1, 0],
  ["kill", 0, 1],
] as const)(
  "%s runs the operation %d times and kills %d times",
  async ([kind, expectedRuns, expectedKills]) => {
    let [runs, kills] = [0, 0];
    const fired: string[] = [];
    const failpoint = createFailpoint(`record:${kind}:1,other:throw:0`, {
      random: always,
      kill: () => (kills += 1),
      onFire: (...point) => fired.push(point.join(" ")),
    });
    await expect(failpoint("record", async () => (runs += 1))).rejects.toThrow(`Failpoint record (${kind})`);
    await expect(failpoint("other", async () => 1)).resolves.toBe(1);
    expect([runs, kills, fired]).toEqual([expectedRuns, expectedKills, [`record ${kind}`]]);
  },
);

test.for(["x", "x:explode", "x:throw:2", "x:throw:often", ":throw:1"])(
  "%s is refused, by its text",
  (text) => {
    expect(() => createFailpoint(text, { random: always })).toThrow(`'${text}'`);
  },
);

test("a seed gives the same numbers again, spread over [0, 1)", () => {
  const [one, other] = [createSeededRandom(42), createSeededRandom(42)];
  const numbers = Array.from({ length: 1000 }, one);
  expect(Array.from({ length: 1000 }, other)).toEqual(numbers);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers.map((number) => Math.floor(number * 10))).size).toBe(10);
});
