import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { createConnection } from "./connection.ts";
import { createSlots, type Slots } from "./slots.ts";

// They connect when first used, which nobody does here.
const connections = [1, 2].map((n) =>
  createConnection({
    url: "postgres://localhost",
    name: `c${n}`,
    connectTimeoutMs: 1,
    statementTimeoutMs: 1,
  }),
);

describe("slots", () => {
  let slots: Slots;
  const onSlow = vi.fn<() => void>();
  const onHung = vi.fn<() => void>();

  beforeEach(() => {
    vi.useFakeTimers();
    onSlow.mockClear();
    onHung.mockClear();
    slots = createSlots({ connections, slowMs: 2000, onSlow, onHung });
  });
  afterEach(() => {
    slots.stop();
    vi.useRealTimers();
  });

  test("each connection is given out once, and who waits gets the next one in order", async () => {
    const [first, second] = [await slots.take(1000), await slots.take(1000)];
    expect(new Set([first.connection, second.connection])).toEqual(new Set(connections));
    const order: string[] = [];
    const third = slots.take(1000).then((slot) => (order.push("third"), slot));
    const fourth = slots.take(1000).then((slot) => (order.push("fourth"), slot));
    expect(order).toEqual([]);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect((await third).connection).toBe(first.connection);
    expect(order).toEqual(["third"]);
    second[Symbol.dispose]();
    expect((await fourth).connection).toBe(second.connection);
  });

  test("what is slow is told once, what hangs every time, what ended never", async () => {
    const quick = await slots.take(10_000);
    await slots.take(10_000);
    await vi.advanceTimersByTimeAsync(1900);
    quick[Symbol.dispose]();
    expect(onSlow).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(8000);
    expect(onSlow).toHaveBeenCalledTimes(1);
    expect(onHung).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1100);
    expect(onHung).toHaveBeenCalledTimes(2);
  });

  test("waiting does not count as hanging", async () => {
    const [first] = [await slots.take(100_000), await slots.take(100_000)];
    const waiting = slots.take(1000);
    await vi.advanceTimersByTimeAsync(20_000);
    first[Symbol.dispose]();
    await waiting;
    await vi.advanceTimersByTimeAsync(900);
    expect(onHung).not.toHaveBeenCalled();
  });
});
