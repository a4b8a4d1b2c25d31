import { assert, asyncProperty, check } from "fast-check";
import { expect, test } from "vitest";

import { createMemoryState } from "../../../runtime/state/memory.ts";
import { type State, StateLostError, type WindowLimits, windowLimits } from "../../../runtime/state/state.ts";
import { ruleSets } from "./correlations.testing.ts";
import { createCoverage } from "./coverage.testing.ts";
import { play, type Subject } from "./order-free.testing.ts";
import { type Planted, planted } from "./planted.testing.ts";
import { story } from "./story.testing.ts";

/** A memory that can be lost: afterwards it is another, empty one. */
function createSubject(
  name: keyof typeof ruleSets,
  faults: Partial<Planted> = {},
  limits: WindowLimits = windowLimits,
): Subject {
  const plantState = faults.state ?? ((state: State) => state);
  const open = () => plantState(createMemoryState({ now: Date.now, limits }));
  let current = open();
  const state: State = {
    window: (step) => current.window(step),
    confirm: (window, recorded) => current.confirm(window, recorded),
    confirmLate: (window, recorded) => current.confirmLate(window, recorded),
    unconfirmedLate: (window, buckets) => current.unconfirmedLate(window, buckets),
    admit: (admission) => current.admit(admission),
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
  const ruleSet = ruleSets[name];
  return { ruleSet, state, losses: [lose], ...(faults.ledger && { plant: faults.ledger }) };
}

/** How often stories are played, and what must have happened in them at least. */
const sets = [
  ["counts", 2000, { crashes: 500, losses: 500, late: 500, rebuilds: 500, alerts: 500 }],
  ["windows", 1000, { crashes: 500, losses: 500, late: 500, rebuilds: 250, alerts: 25 }],
  ["chains", 700, { crashes: 250, losses: 250, late: 250, rebuilds: 100, alerts: 20 }],
  ["settled", 500, { crashes: 250, settled: 2500, deadSettlers: 250, alerts: 25 }],
] as const;

test.for(sets)(
  "in any order, repeated, split, crashed, late or after a loss, a set of events raises the same alerts: %s",
  { timeout: 120_000 },
  async ([name, numRuns, least]) => {
    const coverage = createCoverage(ruleSets[name]);
    await assert(
      asyncProperty(story(1), async (story) => coverage.add(await play(story, createSubject(name)))),
      { numRuns },
    );
    coverage.expectAtLeast(least);
  },
);

test.for(["counts", "windows", "chains"] as const)(
  "with groups that hold three members at most the alerts are the same: %s",
  { timeout: 60_000 },
  async (name) => {
    const coverage = createCoverage(ruleSets[name]);
    const limits = { ...windowLimits, membersPerGroup: 3 };
    await assert(
      asyncProperty(story(1), async (story) => {
        const subject = { ...createSubject(name, {}, limits), isForgetful: true };
        coverage.add(await play(story, subject));
      }),
      { numRuns: 250 },
    );
    coverage.expectAtLeast({ late: 250, alerts: 2 });
  },
);

test.for(planted)("the property notices when $name", async (fault) => {
  const details = await check(
    asyncProperty(story(1), async (story) => void (await play(story, createSubject(fault.set, fault)))),
    { numRuns: 1000, endOnFailure: true },
  );
  // It must fail because of what was raised, not because what was planted cannot be used at all.
  expect(String(details.errorInstance)).toMatch(/^AssertionError: what (?:is recorded|was answered)/);
});
