import { assert, asyncProperty, check } from "fast-check";
import { expect, test } from "vitest";

import { createMemoryState } from "../../../runtime/state/memory.ts";
import { StateLostError } from "../../../runtime/state/state.ts";
import type { State } from "../../../runtime/state/state.ts";
import { createCoverage, play, story } from "./order-free.testing.ts";
import type { Subject } from "./order-free.testing.ts";

/** A memory that can be lost: afterwards it is another, empty one. */
function createSubject(plant: (state: State) => State = (state) => state): Subject {
  const open = () => plant(createMemoryState({ now: Date.now }));
  let current = open();
  const state: State = {
    window: (step) => current.window(step),
    confirm: (window, recorded) => current.confirm(window, recorded),
    confirmLate: (window, recorded) => current.confirmLate(window, recorded),
    unconfirmedLate: (window, buckets) => current.unconfirmedLate(window, buckets),
    read: (key) => current.read(key),
    write: (key, value) => current.write(key, value),
    isCurrent: (series) => current.isCurrent(series),
    rebuild: async (coverage, replay) => {
      const rebuilt = current;
      await rebuilt.rebuild(coverage, replay);
      if (rebuilt !== current) throw new StateLostError("lost during the rebuild");
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const lose = async () => {
    current = open();
  };
  return { state, losses: [lose] };
}

test("in any order, repeated, split, crashed, late or after a loss, a set of events raises the same alerts", async () => {
  const coverage = createCoverage();
  await assert(
    asyncProperty(story(1), async (story) => coverage.add(await play(story, createSubject()))),
    { numRuns: 2000 },
  );
  for (const hits of Object.values(coverage.total)) expect(hits).toBeGreaterThan(500);
}, 120_000);

/** Each is a design that looks right; the property must tell that it is not. */
const faults: Readonly<Record<string, (state: State) => State>> = {
  "only the position of the arriving event is evaluated": (state) => ({
    ...state,
    window: async (step) => {
      const answer = await state.window(step);
      const bucket = Math.floor(step.time / step.timespanMs);
      const isOwn = (found: { bucket: number; crossedAt: number }) =>
        found.bucket === bucket && found.crossedAt <= step.time;
      return { ...answer, qualified: answer.qualified.filter(isOwn) };
    },
  }),
  "buckets count from the arrival, not from the event time": (state) => {
    let arrivals = 0;
    return {
      ...state,
      window: async (step) => {
        arrivals += 1;
        const answer = await state.window(step);
        return { ...answer, qualified: answer.qualified.map((found) => ({ ...found, bucket: arrivals })) };
      },
    };
  },
  "late events are dropped": (state) => ({
    ...state,
    window: async (step) => ({ ...(await state.window(step)), late: false }),
  }),
  "a loss goes unnoticed": (state) => {
    const covered = new Map<string, Promise<void>>();
    return {
      ...state,
      window: async (step) => {
        const { series } = step;
        const covering = covered.get(series) ?? state.rebuild([{ series, from: 0 }], async () => {});
        covered.set(series, covering);
        await covering;
        return await state.window(step);
      },
    };
  },
  "a member confirmed for one bucket is confirmed for both": (state) => ({
    ...state,
    confirm: async (window, recorded) => {
      const both = recorded.flatMap(({ bucket, members }) => [
        { bucket, members },
        { bucket: bucket + 1, members },
        { bucket: bucket - 1, members },
      ]);
      await state.confirm(window, both);
    },
  }),
  "members are confirmed as soon as they are told, recorded or not": (state) => ({
    ...state,
    window: async (step) => {
      const answer = await state.window(step);
      await state.confirm(step, answer.qualified);
      return answer;
    },
  }),
};

test.for(Object.entries(faults))("the property notices when %s", async ([, plant]) => {
  const details = await check(
    asyncProperty(story(1), async (story) => void (await play(story, createSubject(plant)))),
    { numRuns: 1000, endOnFailure: true },
  );
  // It must fail because of what was raised, not because the planted state cannot be used at all.
  expect(String(details.errorInstance)).toMatch(/^AssertionError: what (?:is recorded|was answered)/);
});
