import { describe, expect, onTestFinished, test } from "vitest";

import { StateLostError } from "./state.ts";
import type { State, WindowAnswer, WindowCondition, WindowStep } from "./state.ts";

const second = 1000;
const series = "burst@1";
/** Whole minutes, so that bucket borders are where the tests say; near the clock, as real events are. */
const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;

const atLeast = (count: number): WindowCondition => ({ kind: "count", atLeast: count });

function step(member: string, time: number, changes: Partial<WindowStep> = {}): WindowStep {
  return {
    series,
    key: "group",
    member,
    time: base + time * second,
    timespanMs: 10 * second,
    latenessMs: 20 * second,
    window: { kind: "sliding" },
    condition: atLeast(3),
    ...changes,
  };
}

async function cover(state: State, names: readonly string[] = [series]): Promise<void> {
  await state.rebuild(
    names.map((name) => ({ series: name, from: base - 3_600_000 })),
    async () => {},
  );
}

/** Every State must pass this, and callers may rely on nothing beyond it. `open` gives an empty one. */
export function stateConformance(name: string, open: () => Promise<State>): void {
  async function opened(): Promise<State> {
    const state = await open();
    onTestFinished(() => state[Symbol.asyncDispose]());
    return state;
  }
  async function covered(): Promise<State> {
    const state = await opened();
    await cover(state);
    return state;
  }

  describe(`${name}: window`, () => {
    test("qualifies when the threshold is reached, and tells the members", async () => {
      const state = await covered();
      expect(await state.window(step("a", 1))).toEqual({ qualified: [], late: false });
      expect((await state.window(step("b", 2))).qualified).toEqual([]);
      expect((await state.window(step("c", 3))).qualified).toEqual([
        {
          bucket: base / 10_000,
          crossedAt: base + 3000,
          count: 3,
          firstSeen: base + 1000,
          lastSeen: base + 3000,
          members: ["a", "b", "c"].map((member, i) => ({ member, time: base + (i + 1) * second })),
        },
      ]);
    });

    test("counts a member once, however often it is offered", async () => {
      const state = await covered();
      for (let i = 0; i < 5; i += 1) await state.window(step("a", 1));
      expect((await state.window(step("b", 2))).qualified).toEqual([]);
    });

    test("excludes what is exactly a timespan old and includes what is one millisecond younger", async () => {
      const state = await covered();
      await state.window(step("a", 1));
      await state.window(step("b", 5));
      expect((await state.window(step("c", 11))).qualified).toEqual([]);
      await state.window(step("d", 1.001));
      expect((await state.window(step("c", 11))).qualified).toHaveLength(1);
    });

    test("counts members of one time together", async () => {
      const state = await covered();
      for (const member of ["a", "b"]) await state.window(step(member, 4));
      expect((await state.window(step("c", 4))).qualified[0]?.count).toBe(3);
    });

    test("finds the window an event completes in the middle, not at its end", async () => {
      const state = await covered();
      await state.window(step("a", 1));
      await state.window(step("c", 9));
      const [found] = (await state.window(step("b", 5))).qualified;
      expect(found).toMatchObject({ crossedAt: base + 9000, count: 3 });
    });

    test("reports both buckets an event can affect", async () => {
      const state = await covered();
      for (const [member, time] of [
        ["a", 7],
        ["b", 8],
        ["d", 12],
      ] as const)
        await state.window(step(member, time));
      const { qualified } = await state.window(step("c", 9));
      expect(qualified.map(({ crossedAt }) => crossedAt - base)).toEqual([9000, 12_000]);
      expect(qualified.map(({ bucket }) => bucket - base / 10_000)).toEqual([0, 1]);
    });

    test("takes an event of any age, and leaves what is older than every window to the ledger", async () => {
      const state = await covered();
      for (const time of [Date.UTC(1969, 0), Date.UTC(1600, 0), -62_167_219_200_000]) {
        const ancient = { ...step("ancient", 0), time };
        expect(await state.window(ancient)).toEqual({ qualified: [], late: true });
        await state.confirm(ancient, [{ bucket: Math.floor(time / 10_000), members: [ancient] }]);
        await state.rebuild([{ series, from: base - 3_600_000 }], (add) => add(ancient));
      }
    });

    test("keeps groups apart, whatever characters name them", async () => {
      const state = await covered();
      const keys = ["a:b", "a", "b", "{a}", "\0", "é", "\ud800", "\ud801", "\ufffd", "x".repeat(100_000)];
      for (const key of keys) await state.window(step("m", 1, { key, condition: atLeast(2) }));
      for (const key of keys) {
        const { qualified } = await state.window(step("m", 1, { key, condition: atLeast(2) }));
        expect(qualified).toEqual([]);
      }
    });

    test("keeps any text as a member", async () => {
      const state = await covered();
      const members = ['["/a b","\\"é😀"]', "", "f", "m", "ofoo", "\r\n\0"].toSorted();
      for (const member of members) await state.window(step(member, 1, { condition: atLeast(6) }));
      const [found] = (await state.window(step("f", 1, { condition: atLeast(6) }))).qualified;
      expect(found?.members.map(({ member }) => member)).toEqual(members);
    });

    test.for([
      [-20, false],
      [-20.001, true],
      [-29.999, true],
      [-30, true],
      [-300, true],
    ] as const)("an event %d s behind the newest is late: %s", async ([behind, late]) => {
      const state = await covered();
      await state.window(step("newest", 100));
      expect((await state.window(step("m", 100 + behind))).late).toBe(late);
    });

    test("a late event within the retained span counts for the windows of others", async () => {
      const state = await covered();
      await state.window(step("a", 40));
      expect(await state.window(step("late", 19))).toEqual({ qualified: [], late: true });
      await state.window(step("b", 21));
      expect((await state.window(step("c", 22))).qualified[0]?.members.map(({ member }) => member)).toEqual([
        "late",
        "b",
        "c",
      ]);
    });

    test("an event of long ago is late, though its group is unknown: its window may have expired", async () => {
      const state = await covered();
      expect(await state.window(step("old", -3600))).toEqual({ qualified: [], late: true });
    });

    test("an event whose timespan begins before what the rebuild covered is late", async () => {
      const state = await opened();
      await state.rebuild([{ series, from: base }], async () => {});
      expect((await state.window(step("a", 9.999))).late).toBe(true);
      expect((await state.window(step("b", 10))).late).toBe(false);
    });

    test("keeps a member of one millisecond less than the retained span for the earliest event in time", async () => {
      const state = await covered();
      await state.window(step("kept", 70.001, { condition: atLeast(2) }));
      await state.window(step("newest", 100, { condition: atLeast(2) }));
      const { qualified, late } = await state.window(step("earliest", 80, { condition: atLeast(2) }));
      expect([late, qualified.map(({ firstSeen }) => firstSeen - base)]).toEqual([false, [70_001]]);
    });

    test("finds the one position that qualifies at the far end of many that do not", async () => {
      const state = await covered();
      const up = { key: "up", condition: atLeast(40) };
      for (let i = 1; i < 40; i += 1) await state.window(step(`m${i}`, 1 + i / 10, up));
      expect((await state.window(step("m0", 1, up))).qualified).toMatchObject([{ crossedAt: base + 4900 }]);

      const down = { key: "down", condition: atLeast(31) };
      for (let i = 0; i < 30; i += 1) await state.window(step(`old${i}`, -8.5, down));
      for (let i = 0; i < 25; i += 1) await state.window(step(`new${i}`, 1.6 + i / 10, down));
      const [found] = (await state.window(step("last", 1, down))).qualified;
      expect(found).toMatchObject({ crossedAt: base + 1000, lastSeen: base + 1000, count: 31 });
    });

    test("racing steps all count", async () => {
      const state = await covered();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => state.window(step(`m${i}`, 1, { condition: atLeast(50) }))),
      );
      expect(answers.flatMap(({ qualified }) => qualified)).toHaveLength(1);
    });
  });

  describe(`${name}: confirm`, () => {
    test("leaves confirmed members out of later answers, but never the step's own", async () => {
      const state = await covered();
      for (const member of ["a", "b"]) await state.window(step(member, 1));
      const { qualified } = await state.window(step("c", 2));
      await state.confirm(step("c", 2), qualified);
      expect(await membersOf(state.window(step("d", 3)))).toEqual([["d"]]);
      expect(await membersOf(state.window(step("a", 1)))).toEqual([["a", "d"]]);
    });

    test("confirms for one bucket only", async () => {
      const state = await covered();
      for (const [member, time] of [
        ["a", 7],
        ["b", 8],
      ] as const)
        await state.window(step(member, time));
      const { qualified } = await state.window(step("c", 9));
      await state.confirm(step("c", 9), qualified);
      expect(await membersOf(state.window(step("d", 12)))).toEqual([["a", "b", "c", "d"]]);
    });

    test("of an unknown window does nothing", async () => {
      const state = await covered();
      const recorded = [{ bucket: 1, members: [{ member: "x", time: 1 }] }];
      await expect(state.confirm({ key: "nobody", timespanMs: 1 }, recorded)).resolves.toBeUndefined();
    });
  });

  describe(`${name}: confirmLate`, () => {
    test("leaves out of a bucket what it was told of, and nothing of another bucket or window", async () => {
      const state = await opened();
      const member = (text: string) => ({ member: text, time: base });
      const bucket = (number: number, ...texts: string[]) => ({ bucket: number, members: texts.map(member) });
      const many = Array.from({ length: 5000 }, (_, i) => `m${i}`);
      await state.confirmLate(step("", 0), [bucket(1, "a", ...many), bucket(2)]);
      await state.confirmLate(step("", 0), [bucket(1, "b")]);
      const asked = [bucket(1, "a", "b", "c", ...many), bucket(2, "a")];
      expect(await state.unconfirmedLate(step("", 0), asked)).toEqual([bucket(1, "c"), bucket(2, "a")]);
      expect(await state.unconfirmedLate(step("", 0, { key: "other" }), asked)).toEqual(asked);
      expect(await state.unconfirmedLate(step("", 0), [])).toEqual([]);
    });
  });

  describe(`${name}: trust`, () => {
    test("windows that were never covered are not trusted", async () => {
      const state = await opened();
      expect(await state.isCurrent([series])).toBe(false);
      await expect(state.window(step("a", 1))).rejects.toThrow(StateLostError);
      await cover(state);
      expect(await state.isCurrent([series])).toBe(true);
      expect(await state.isCurrent([series, "other"])).toBe(false);
      await expect(state.window(step("a", 1, { series: "other" }))).rejects.toThrow(StateLostError);
    });

    test("a rebuild's members count, are not confirmed, and are trusted only once it ended", async () => {
      const state = await opened();
      await state.rebuild([{ series, from: base - 60_000 }], async (add) => {
        for (const member of ["a", "b"]) await add(step(member, 1));
        await expect(state.window(step("c", 2))).rejects.toThrow(StateLostError);
      });
      expect(await membersOf(state.window(step("c", 2)))).toEqual([["a", "b", "c"]]);
    });

    test("a rebuild that fails leaves the series untrusted", async () => {
      const state = await covered();
      await expect(
        state.rebuild([{ series, from: base }], () => Promise.reject(new Error("replay failed"))),
      ).rejects.toThrow("replay failed");
      expect(await state.isCurrent([series])).toBe(false);
    });

    test("a rebuild of one series leaves the others in use", async () => {
      const state = await opened();
      await cover(state, [series, "other"]);
      await state.window(step("a", 1));
      await state.window(step("b", 1));
      await state.rebuild([{ series: "other", from: base }], async () => {
        expect((await state.window(step("c", 1))).qualified).toHaveLength(1);
      });
    });
  });

  describe(`${name}: read, write`, () => {
    test("reads what was written, and undefined before", async () => {
      const state = await opened();
      expect(await state.read("setting")).toBeUndefined();
      for (const value of [{ a: [1, "é", null] }, false, "text"]) {
        await state.write("setting", value);
        expect(await state.read("setting")).toEqual(value);
      }
    });
  });
}

async function membersOf(answer: Promise<WindowAnswer>): Promise<readonly (readonly string[])[]> {
  return (await answer).qualified.map(({ members }) => members.map(({ member }) => member));
}
