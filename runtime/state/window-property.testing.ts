import { array, assert, asyncProperty, boolean, constantFrom, integer, nat, record } from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { windowLimits } from "./state.ts";
import type { State, WindowCondition, WindowKind, WindowLimits, WindowStep } from "./state.ts";
import { createWindowModel, nothingMet } from "./window-model.testing.ts";
import type { Met } from "./window-model.testing.ts";

const values = ["", "a", "b", "1:a", "\0", ",", "é😀", "x".repeat(100), `${"x".repeat(99)}y`];

/** Conditions and kinds of every sort, small enough to be met often. */
const conditionsOf: Readonly<Record<WindowCondition["kind"], readonly WindowCondition[]>> = {
  count: [1, 2, 3, 4, 5].map((atLeast) => ({ kind: "count", atLeast })),
  distinct: [1, 2, 3, 4, 5].map((atLeast) => ({ kind: "distinct", atLeast })),
  rules: [[0b11], [0b111], [0b100, 0b11], [0b110, 0b101], [0b100_0000_0000_0000_0000_0000_0000_0001]].map(
    (anyOf) => ({ kind: "rules", anyOf }),
  ),
  sequence: [1, 2, 3].map((length) => ({ kind: "sequence", length })),
};
const kindsOf: Readonly<Record<WindowKind["kind"], WindowKind>> = {
  sliding: { kind: "sliding" },
  tumbling: { kind: "tumbling" },
  session: { kind: "session", gapMs: 3000 },
};

interface Subject {
  readonly state: State;
  readonly limits: WindowLimits;
}

const series = "property@1";
const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
const kinds = ["sliding", "tumbling", "session"] as const;
const conditions = ["count", "distinct", "rules", "sequence"] as const;
const combinations = kinds.flatMap((window) => conditions.map((condition) => ({ window, condition })));
const numRuns = 250;

/** How often, at least, every combination must have met what the property is about. */
const minimum = { qualified: 200, late: 100, decidedByTheRest: 40, decidedByFacts: 20, undecided: 10 };

/** Every State agrees with a plain list of members on any sequence of steps and confirmations. */
export function windowProperty(name: string, open: (limits: WindowLimits) => Promise<State>): void {
  async function meet(combination: (typeof combinations)[number], changes: Partial<WindowLimits>) {
    const limits = { ...windowLimits, ...changes };
    const state = await open(limits);
    onTestFinished(() => state[Symbol.asyncDispose]());
    await state.rebuild([{ series, from: base - 3_600_000 }], async () => {});
    return await compareWithModel({ state, limits }, combination);
  }

  test.for(combinations)(
    `${name}: $condition in $window windows agrees with brute force in any order, repeated and confirmed`,
    async (combination) => {
      const met = await meet(combination, {});
      expect(met.qualified).toBeGreaterThan(minimum.qualified);
      expect(met.late).toBeGreaterThan(minimum.late);
      // A slot is a bucket, so no member of a tumbling window affects two.
      expect(met.twoBuckets).toBeGreaterThanOrEqual(combination.window === "tumbling" ? 0 : 5);
    },
  );

  test.for(combinations)(
    `${name}: $condition in $window windows that hold few members agrees with brute force`,
    async (combination) => {
      const met = await meet(combination, { membersPerGroup: 4 });
      expect(met.qualified).toBeGreaterThan(minimum.qualified);
      expect(met.undecided).toBeGreaterThan(minimum.undecided);
      expect(met.decidedByTheRest).toBeGreaterThan(minimum.decidedByTheRest);
      const { decidedByFacts } = minimum;
      expect(met.decidedByFacts).toBeGreaterThanOrEqual(
        combination.condition === "count" ? 0 : decidedByFacts,
      );
    },
  );
}

const rules = [1, 2, 4, 3, 5, 0, 7, 2 ** 30, 2 ** 30 + 1];
const event = record({
  time: nat({ max: 120 }),
  // Few different ones in some runs, so that some conditions cannot be met whatever comes.
  shown: nat({ max: values.length - 1 }),
});
const scenario = (condition: WindowCondition["kind"]) =>
  record({
    events: array(event, { minLength: 26, maxLength: 26 }),
    condition: constantFrom(...conditionsOf[condition]),
    /** Milliseconds per unit of time: how crowded windows are. */
    unit: constantFrom(100, 250, 750),
    variety: integer({ min: 1, max: values.length }),
    inOrder: boolean(),
    actions: array(record({ member: nat({ max: 25 }), confirm: integer({ min: 0, max: 2 }) }), {
      minLength: 5,
      maxLength: 40,
    }),
  });

/** Offers steps in any order, repeated, to a State and to the model; answers what was met. */
async function compareWithModel(
  { state, limits }: Subject,
  kinds: { readonly window: WindowKind["kind"]; readonly condition: WindowCondition["kind"] },
): Promise<Met> {
  const met = { ...nothingMet };
  let run = 0;
  await assert(
    asyncProperty(scenario(kinds.condition), async ({ events, actions, ...chosen }) => {
      const { condition, unit, inOrder, variety } = chosen;
      run += 1;
      const model = createWindowModel(limits, met);
      const timeOf = (member: number) => events[member]?.time ?? 0;
      const offered = inOrder ? actions.toSorted((a, b) => timeOf(a.member) - timeOf(b.member)) : actions;
      for (const { member, confirm } of offered) {
        const shown = (events[member]?.shown ?? 0) % variety;
        const step: WindowStep = {
          series,
          key: `${kinds.window} ${kinds.condition} ${run}`,
          member: `${member % 3 === 0 ? "0:" : "m\0"}${member}`,
          time: base + timeOf(member) * unit,
          value: values[shown],
          rules: rules[shown],
          timespanMs: 10_000,
          latenessMs: 20_000,
          window: kindsOf[kinds.window],
          condition,
        };
        const answer = await state.window(step);
        expect(answer).toEqual(model.window(step));
        const recorded = answer.qualified.slice(0, confirm);
        await state.confirm(step, recorded);
        model.confirm(recorded);
      }
    }),
    { numRuns },
  );
  return met;
}
