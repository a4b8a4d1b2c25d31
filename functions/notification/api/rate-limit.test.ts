import { expect, test } from "vitest";

import { createRateLimit } from "./rate-limit.ts";

test("a bucket fills evenly, never above its size, for each caller apart", () => {
  let time = 0;
  const allow = createRateLimit({ perMinute: 60, now: () => time });
  const drain = (caller: string) => {
    let count = 0;
    while (allow(caller).allowed) count += 1;
    return count;
  };
  expect([drain("a"), drain("b")]).toEqual([60, 60]);
  time += 10_000;
  expect([drain("a"), drain("b")]).toEqual([10, 10]);
  time += 3_600_000;
  expect(drain("a")).toBe(60);
});

test("a clock that goes back gives and takes nothing", () => {
  let time = 100_000;
  const allow = createRateLimit({ perMinute: 2, now: () => time });
  expect([allow("a").allowed, allow("a").allowed]).toEqual([true, true]);
  time = 0;
  expect(allow("a").allowed).toBe(false);
});

test("the quietest callers are forgotten first, so that memory is bounded", () => {
  const allow = createRateLimit({ perMinute: 1, now: () => 0, maxCallers: 2 });
  allow("a");
  allow("b");
  allow("a");
  allow("c");
  // "b" was the quietest and begins anew; "a" is remembered until it is the quietest.
  expect(allow("a").allowed).toBe(false);
  expect(allow("b").allowed).toBe(true);
});

test("0 is no limit", () => {
  const allow = createRateLimit({ perMinute: 0, now: () => 0 });
  expect(allow("a")).toEqual({ allowed: true, headers: {} });
});
