import { describe, expect, onTestFinished, test, vi } from "vitest";

import { windowLimits } from "./state.ts";
import type { State, WindowLimits, WindowStep } from "./state.ts";

const series = "limits@1";
const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;

type Change = Partial<WindowStep> & Pick<WindowStep, "condition">;

/** Times are seconds after `base`; windows are of ten, and nothing is late within an hour. */
function step(member: string, time: number, changes: Change): WindowStep {
  const window = { kind: "sliding" } as const;
  const span = { timespanMs: 10_000, latenessMs: 20_000 };
  return { series, key: "group", member, time: base + time * 1000, ...span, window, ...changes };
}

const count = (atLeast: number) => ({ condition: { kind: "count", atLeast } }) as const;

/** What every State does when there is more than it may hold; `open` gives an empty one. */
export function limitsConformance(name: string, open: (limits?: WindowLimits) => Promise<State>): void {
  async function covered(limits: Partial<WindowLimits>): Promise<State> {
    const state = await open({ ...windowLimits, ...limits });
    onTestFinished(() => state[Symbol.asyncDispose]());
    await state.rebuild([{ series, from: base - 3_600_000 }], async () => {});
    return state;
  }

  describe(`${name}: admission`, () => {
    const asked = (member: string, key = "key") => ({ key, member, limit: 2, rememberMs: 60_000 });

    test("admits the first members of a key, those again, and no further one", async () => {
      const state = await covered({});
      const answers: boolean[] = [];
      for (const member of ["a", "b", "c", "a", "b", "c"]) answers.push(await state.admit(asked(member)));
      expect(answers).toEqual([true, true, false, true, true, false]);
      expect(await state.admit(asked("c", "other\0key"))).toBe(true);
    });

    test("asked by many at once, as many are admitted as there is room for", async () => {
      const state = await covered({});
      const members = Array.from({ length: 20 }, (_, index) => `m${index}`);
      const answers = await Promise.all(members.map((member) => state.admit(asked(member))));
      expect(answers.filter(Boolean)).toHaveLength(2);
    });

    test("is forgotten after its time", async () => {
      const state = await covered({});
      const brief = { key: "key", limit: 1, rememberMs: 1 };
      expect(await state.admit({ ...brief, member: "a" })).toBe(true);
      await vi.waitFor(async () => expect(await state.admit({ ...brief, member: "b" })).toBe(true));
    });
  });

  describe(`${name}: groups per series`, () => {
    const offered = (key: string, time = 1, changes: Partial<WindowStep> = {}) =>
      step(`m${time}`, time, { key, ...count(1), ...changes });

    test("a new group of a full series is capped, one that is there is not", async () => {
      const state = await covered({ groupsPerSeries: 2 });
      for (const key of ["a", "b"]) expect((await state.window(offered(key))).qualified).toHaveLength(1);
      for (const key of ["c", "d", "c"]) {
        expect(await state.window(offered(key))).toEqual({ qualified: [], late: false, capped: true });
      }
      for (const key of ["a", "b"]) expect((await state.window(offered(key, 2))).qualified).toHaveLength(1);
    });

    test("one full series leaves the others their room", async () => {
      const state = await covered({ groupsPerSeries: 1 });
      await state.rebuild([{ series: "other", from: base - 3_600_000 }], async () => {});
      await state.window(offered("a"));
      expect((await state.window(offered("of other", 1, { series: "other" }))).capped).toBeUndefined();
      expect((await state.window(offered("b"))).capped).toBe(true);
    });

    test("what is too old for any window is late, room or not", async () => {
      const state = await covered({ groupsPerSeries: 1 });
      await state.window(offered("a"));
      expect(await state.window(offered("b", -3500))).toEqual({ qualified: [], late: true });
    });

    test("a rebuild adds no more groups than there may be", async () => {
      const state = await covered({ groupsPerSeries: 2 });
      await state.rebuild([{ series, from: base - 3_600_000 }], async (add) => {
        for (const key of ["a", "b", "c"]) await add(offered(key));
      });
      expect((await state.window(offered("b", 2))).capped).toBeUndefined();
      expect((await state.window(offered("c", 2))).capped).toBe(true);
    });
  });

  describe(`${name}: members per group`, () => {
    /** Offers a flood in order; answers how many steps qualified and how many were late. */
    async function flood(
      state: State,
      changes: Change,
      { length, everyMs, start = 1 }: { length: number; everyMs: number; start?: number },
    ) {
      const met = { qualified: 0, late: 0, most: 0 };
      for (let i = 0; i < length; i += 1) {
        const offered = step(`flood ${start} ${i}`, start + (i * everyMs) / 1000, changes);
        const { qualified, late } = await state.window(offered);
        await state.confirm(offered, qualified);
        if (qualified.length > 0) met.qualified += 1;
        if (late) met.late += 1;
        met.most = Math.max(met.most, ...qualified.map((bucket) => bucket.count));
      }
      return met;
    }

    test.for([1, 0])("a flood, every %d ms, qualifies all the while and is never late", async (everyMs) => {
      const state = await covered({ membersPerGroup: 20 });
      const met = await flood(state, count(5), { length: 100, everyMs });
      expect(met).toEqual({ qualified: 96, late: 0, most: 20 });
    });

    test("a flood of one value is known not to be several", async () => {
      const state = await covered({ membersPerGroup: 20 });
      const condition = { kind: "distinct", atLeast: 3 } as const;
      const rare = step("rare", 0, { condition, value: "rare" });
      await state.window(rare);
      const met = await flood(state, { condition, value: "same" }, { length: 100, everyMs: 1 });
      expect(met).toEqual({ qualified: 0, late: 0, most: 0 });
    });

    test("a rule seen before a flood of another one is remembered for as long as windows last", async () => {
      const state = await covered({ membersPerGroup: 20 });
      const condition = { kind: "rules", anyOf: [3] } as const;
      await state.window(step("rare", 1, { condition, rules: 2 }));
      const met = await flood(state, { condition, rules: 1 }, { length: 110, everyMs: 100 });
      expect([met.qualified, met.late]).toEqual([100, 0]);
    });

    test("a flood of one rule is known not to be a sequence", async () => {
      const state = await covered({ membersPerGroup: 20 });
      const condition = { kind: "sequence", length: 2 } as const;
      const met = await flood(state, { condition, rules: 1 }, { length: 100, everyMs: 1 });
      expect(met).toEqual({ qualified: 0, late: 0, most: 0 });
      expect((await state.window(step("success", 2, { condition, rules: 2 }))).qualified).toHaveLength(1);
    });

    test("what cannot be told from the members left is late", async () => {
      const state = await covered({ membersPerGroup: 4 });
      const condition = { kind: "sequence", length: 2 } as const;
      for (const [index, rules] of [1, 2, 2, 2, 2, 2].entries()) {
        const { late } = await state.window(step(`m${index}`, 1 + index / 1000, { condition, rules }));
        expect(late).toBe(index > 3);
      }
    });

    test("an event older than all that is left is late", async () => {
      const state = await covered({ membersPerGroup: 4 });
      await flood(state, count(2), { length: 10, everyMs: 1, start: 5 });
      expect(await state.window(step("old", 4.9, count(2)))).toEqual({ qualified: [], late: true });
    });

    test("after a flood windows are whole again", async () => {
      const state = await covered({ membersPerGroup: 4 });
      await flood(state, count(2), { length: 10, everyMs: 1 });
      expect(await state.window(step("alone", 15, count(2)))).toEqual({ qualified: [], late: false });
    });

    test("a condition that needs more members gets them", async () => {
      const state = await covered({ membersPerGroup: 4 });
      const met = await flood(state, count(7), { length: 20, everyMs: 1 });
      expect(met).toEqual({ qualified: 14, late: 0, most: 7 });
    });
  });
}
