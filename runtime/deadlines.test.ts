import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createDeadlines } from "./deadlines.ts";
import { DeadlineError } from "./failure.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const open = (timeoutMs: number) => createDeadlines({ timeoutMs, clock: Date.now });
const work = () => ({ abort: vi.fn<(reason: Error) => void>() });

test("what takes too long is ended with the reason, what was released in time is not", async () => {
  const deadlines = open(1000);
  const [slow, quick] = [work(), work()];
  deadlines.watch(slow);
  deadlines.release(deadlines.watch(quick));
  await vi.advanceTimersByTimeAsync(999);
  expect(slow.abort).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(51);
  expect(slow.abort).toHaveBeenCalledWith(expect.any(DeadlineError));
  expect(quick.abort).not.toHaveBeenCalled();
});

test("a slot is used again, and watches the new work only", async () => {
  const deadlines = open(1000);
  const [before, after] = [work(), work()];
  const slot = deadlines.watch(before);
  await vi.advanceTimersByTimeAsync(900);
  deadlines.release(slot);
  expect(deadlines.watch(after)).toBe(slot);
  await vi.advanceTimersByTimeAsync(900);
  expect(after.abort).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(after.abort).toHaveBeenCalled();
  expect(before.abort).not.toHaveBeenCalled();
});

test("no timer runs while nothing is under way", async () => {
  const deadlines = open(1000);
  deadlines.release(deadlines.watch(work()));
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
  deadlines.watch(work());
  expect(vi.getTimerCount()).toBe(1);
});

test("everything under way can be ended at once", () => {
  const deadlines = open(1000);
  const [first, second, done] = [work(), work(), work()];
  deadlines.watch(first);
  deadlines.watch(second);
  deadlines.release(deadlines.watch(done));
  deadlines.abortAll(new Error("stop"));
  expect([first, second, done].map(({ abort }) => abort.mock.calls.length)).toEqual([1, 1, 0]);
});
