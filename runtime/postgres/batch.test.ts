import { array, assert, asyncProperty, boolean, constantFrom, integer } from "fast-check";
import { describe, expect, test } from "vitest";

import { UnavailableError } from "../failure.ts";
import { type BatchOptions, createBatcher } from "./batch.ts";

class BadRow extends Error {}

const isItemError = (error: unknown) => error instanceof BadRow;

const options = {
  maxItems: 100,
  maxQueued: 1000,
  deadlineMs: 60_000,
  isItemError,
} satisfies Partial<BatchOptions<number, number>>;

/** A flush that is under way until told to end. */
function createHeldFlush() {
  const flushes: { readonly items: readonly number[]; readonly finish: (error?: Error) => void }[] = [];
  const flush = (items: readonly number[]) =>
    new Promise<readonly number[]>((resolve, reject) => {
      flushes.push({
        items,
        finish: (error) => (error ? reject(error) : resolve(items.map((item) => item * 2))),
      });
    });
  return { flush, flushes };
}

const echo = async (items: readonly number[]) => items;

/** Refuses negative items. */
async function flushGood(items: readonly number[]): Promise<readonly number[]> {
  const bad = items.find((item) => item < 0);
  if (bad !== undefined) throw new BadRow(`row ${bad}`);
  return items;
}

/** What a call came to: its result, or the message of its error. */
const outcome = (call: Promise<number>) =>
  call.then(
    (value) => value,
    (error: unknown) => String(error),
  );

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe("group commit", () => {
  test("calls of one tick share a flush and each gets its own result", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    const results = Promise.all([batcher.add(1), batcher.add(2), batcher.add(3)]);
    await tick();
    flushes[0]!.finish();
    expect(await results).toEqual([2, 4, 6]);
    expect(flushes.map(({ items }) => items)).toEqual([[1, 2, 3]]);
  });

  test("what comes while a flush is under way gathers into the next one", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    const first = batcher.add(1);
    await tick();
    const rest = [2, 3, 4].map((item) => batcher.add(item));
    await tick();
    expect(flushes).toHaveLength(1);
    flushes[0]!.finish();
    await first;
    await tick();
    expect(flushes[1]!.items).toEqual([2, 3, 4]);
    flushes[1]!.finish();
    expect(await Promise.all(rest)).toEqual([4, 6, 8]);
  });

  test("a call is answered only after its own flush ended", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    let answered = false;
    const call = batcher.add(1).then(() => (answered = true));
    await tick();
    expect(answered).toBe(false);
    flushes[0]!.finish();
    await call;
    expect(answered).toBe(true);
  });

  test("a batch is limited in number and in bytes, and a larger item goes alone", async () => {
    const sizes: number[][] = [];
    const flush = async (items: readonly number[]) => {
      sizes.push([...items]);
      return items;
    };
    const batcher = createBatcher({ ...options, flush, maxItems: 3, maxBytes: 10, sizeOf: (item) => item });
    await Promise.all([1, 1, 1, 1, 6, 5, 50, 2].map((item) => batcher.add(item)));
    expect(sizes).toEqual([[1, 1, 1], [1, 6], [5], [50], [2]]);
  });

  test("one bad row fails alone, with its own error", async () => {
    const batcher = createBatcher({ ...options, flush: flushGood });
    const outcomes = await Promise.all([1, -2, 3, 4, -5].map((item) => outcome(batcher.add(item))));
    expect(outcomes).toEqual([1, "Error: row -2", 3, 4, "Error: row -5"]);
  });

  test("a failure that is no row's fault fails the batch at once, without further tries", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    const calls = Promise.allSettled([batcher.add(1), batcher.add(2)]);
    await tick();
    const away = new UnavailableError("postgres", "away");
    flushes[0]!.finish(away);
    expect(await calls).toEqual([
      { status: "rejected", reason: away },
      { status: "rejected", reason: away },
    ]);
    expect(flushes).toHaveLength(1);
  });

  test("after a failed flush the next one works", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    const failing = batcher.add(1);
    await tick();
    flushes[0]!.finish(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    const working = batcher.add(2);
    await tick();
    flushes[1]!.finish();
    expect(await working).toBe(4);
  });

  test("a flush that answers too little fails its items instead of mixing them up", async () => {
    const batcher = createBatcher({ ...options, flush: async () => [1] });
    const results = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
  });

  test.for([
    ["items", { maxQueued: 2 }],
    ["bytes", { maxQueuedBytes: 20, sizeOf: () => 10 }],
  ] as const)("too many waiting %s are refused as overload, and room is used again", async ([, limit]) => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, ...limit, flush });
    const first = batcher.add(1);
    await tick();
    const waiting = [batcher.add(2), batcher.add(3)];
    await expect(batcher.add(4)).rejects.toThrow(UnavailableError);
    flushes[0]!.finish();
    await first;
    await tick();
    const later = batcher.add(5);
    flushes[1]!.finish();
    await Promise.all(waiting);
    await tick();
    flushes[2]!.finish();
    expect(await later).toBe(10);
  });

  test("at its deadline a call gives up, waiting or under way, and the next one is served", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, deadlineMs: 20, flush });
    const underWay = outcome(batcher.add(1));
    await tick();
    const waiting = outcome(batcher.add(2));
    const late = "UnavailableError: The write did not finish in 20 ms.";
    expect(await Promise.all([underWay, waiting])).toEqual([late, late]);
    flushes[0]!.finish();
    await tick();
    expect(flushes).toHaveLength(1);
    const next = batcher.add(3);
    await tick();
    flushes[1]!.finish();
    expect(await next).toBe(6);
  });

  test("draining finishes what was accepted and refuses the rest", async () => {
    const { flush, flushes } = createHeldFlush();
    const batcher = createBatcher({ ...options, flush });
    const first = batcher.add(1);
    await tick();
    const second = batcher.add(2);
    let drained = false;
    const draining = batcher.drain().then(() => (drained = true));
    await expect(batcher.add(3)).rejects.toThrow("closing");
    flushes[0]!.finish();
    await first;
    await tick();
    expect(drained).toBe(false);
    flushes[1]!.finish();
    expect(await second).toBe(4);
    await draining;
  });

  test("draining an idle batcher ends at once", async () => {
    await expect(createBatcher({ ...options, flush: echo }).drain()).resolves.toBeUndefined();
  });
});

type Row = "good" | "bad";

test("each call settles exactly as its own row deserves, whatever the mix and the limits", async () => {
  const mixes = array(constantFrom<Row>("good", "good", "good", "bad"), { maxLength: 60 });
  const pauses = array(boolean(), { minLength: 60, maxLength: 60 });
  await assert(
    asyncProperty(mixes, pauses, integer({ min: 1, max: 20 }), async (rows, pauses, maxItems) => {
      let queries = 0;
      const written: number[] = [];
      const flush = async (items: readonly number[]) => {
        queries++;
        await tick();
        const bad = items.find((item) => rows[item] === "bad");
        if (bad !== undefined) throw new BadRow(`row ${bad}`);
        written.push(...items);
        return items;
      };
      const batcher = createBatcher({ ...options, flush, maxItems });
      const outcomes: Promise<number | string>[] = [];
      for (const [index] of rows.entries()) {
        if (pauses[index]) await tick();
        outcomes.push(outcome(batcher.add(index)));
      }
      const deserved = rows.map((row, index) => (row === "good" ? index : `Error: row ${index}`));
      expect(await Promise.all(outcomes)).toEqual(deserved);
      expect(written.toSorted((a, b) => a - b)).toEqual(
        deserved.filter((value) => typeof value === "number"),
      );
      const bad = rows.length - written.length;
      // One per row at most and, for each bad row, two per halving.
      expect(queries).toBeLessThanOrEqual(rows.length + 2 * bad * Math.ceil(Math.log2(maxItems)));
    }),
    { numRuns: 300 },
  );
});
