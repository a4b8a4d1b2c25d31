import { describe, expect, onTestFinished, test } from "vitest";

import { windowLimits } from "./state.ts";
import type { State, WindowCondition, WindowKind, WindowLimits, WindowStep } from "./state.ts";

const second = 1000;
const series = "windows@1";
const base = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
type Change = Partial<WindowStep> & Pick<WindowStep, "condition">;

function step(member: string, time: number, changes: Change): WindowStep {
  const window = { kind: "sliding" } as const;
  const span = { timespanMs: 10 * second, latenessMs: 20 * second };
  return { series, key: "group", member, time: base + time * second, ...span, window, ...changes };
}

/** What windows hold and which members belong to them, for every State; `open` gives an empty one. */
export function windowsConformance(name: string, open: (limits?: WindowLimits) => Promise<State>): void {
  async function covered(limits: Partial<WindowLimits> = {}): Promise<State> {
    const state = await open({ ...windowLimits, ...limits });
    onTestFinished(() => state[Symbol.asyncDispose]());
    await state.rebuild([{ series, from: base - 3_600_000 }], async () => {});
    return state;
  }

  /** Offers members in turn; answers after which of them, by index, the group qualified, and how. */
  async function offer(steps: readonly WindowStep[], limits: Partial<WindowLimits> = {}) {
    const state = await covered(limits);
    const found: (readonly [number, number])[] = [];
    for (const [index, offered] of steps.entries()) {
      const { qualified, late } = await state.window(offered);
      expect(late).toBe(false);
      for (const bucket of qualified) found.push([index, (bucket.crossedAt - base) / second]);
    }
    return found;
  }

  describe(`${name}: conditions`, () => {
    const distinct = (atLeast: number): WindowCondition => ({ kind: "distinct", atLeast });
    const shown = (values: readonly string[], condition: WindowCondition) =>
      values.map((value, index) => step(`m${index}`, 1 + index / 100, { value, condition }));

    test("distinct counts a value once, however many members show it", async () => {
      expect(await offer(shown(["a", "a", "a", "b"], distinct(3)))).toEqual([]);
      expect(await offer(shown(["a", "b", "a", "c"], distinct(3)))).toEqual([[3, 1.03]]);
    });

    test("distinct leaves out what is exactly a timespan old at a position between others", async () => {
      const members = [
        ["a", -2],
        ["c", 8],
        ["a", 9],
        ["b", 6],
      ] as const;
      const steps = members.map(([value, time], index) =>
        step(`m${index}`, time, { value, condition: distinct(3) }),
      );
      expect(await offer(steps)).toEqual([[3, 9]]);
    });

    test("distinct keeps any values apart, the absent one from none but the empty one", async () => {
      const hostile = [
        "",
        "a",
        "a\0",
        "\0a",
        ":",
        "1:a",
        "2:1:",
        "0:",
        ",",
        "=a",
        "#",
        "\u00e9",
        "e\u0301",
        "😀",
        "\ud800",
        "\ud801",
        "\ufffd",
        "a\r\n",
        "__proto__",
      ];
      const long = "x".repeat(100_000);
      const values = [...hostile, long, `${long}y`, `#${"A".repeat(43)}`];
      expect(new Set(values).size).toBe(values.length);
      expect(await offer(shown(values, distinct(values.length)))).toHaveLength(1);
      const repeated = [...values, ...values].slice(1);
      expect(await offer(shown(repeated, distinct(values.length + 1)))).toEqual([]);
      const { value: _, ...absent } = step("absent", 2, { condition: distinct(2) });
      expect(await offer([...shown([""], distinct(2)), absent])).toEqual([]);
    });

    test("a value and a member cannot be taken for another value and member", async () => {
      const pairs = [
        ["a", "1:b"],
        ["a1", ":b"],
        ["a1:", "b"],
        ["", "a1:b"],
      ] as const;
      const steps = pairs.map(([value, member]) => step(member, 1, { value, condition: distinct(5) }));
      const state = await covered();
      for (const offered of steps) await state.window(offered);
      const { qualified } = await state.window(step("last", 1, { value: "last", condition: distinct(5) }));
      expect(qualified[0]?.members.map(({ member }) => member)).toEqual(
        [...pairs.map(([, member]) => member), "last"].toSorted(),
      );
    });

    test.for([
      ["both of a set", [0b11], [0b01, 0b10], [[1, 1.01]]],
      ["one member may show all", [0b11], [0b11], [[0, 1]]],
      ["one twice is not both", [0b11], [0b01, 0b01], []],
      ["any set will do", [0b11, 0b100], [0b01, 0b100], [[1, 1.01]]],
      ["the first and the last rule there can be", [2 ** 30 + 1], [2 ** 30, 1], [[1, 1.01]]],
      ["what the condition does not ask about", [0b11], [0b101, 0b100], []],
    ] as const)("rules: %s", async ([, anyOf, rules, expected]) => {
      const condition = { kind: "rules", anyOf } as const;
      const steps = rules.map((bits, index) =>
        step(`m${index}`, 1 + index / 100, { rules: bits, condition }),
      );
      expect(await offer(steps)).toEqual(expected);
    });

    test.for([
      [
        "in order",
        3,
        [
          [1, 0b001],
          [2, 0b010],
          [3, 0b100],
        ],
        [[2, 3]],
      ],
      [
        "out of order",
        2,
        [
          [1, 0b10],
          [2, 0b01],
        ],
        [],
      ],
      [
        "completed from the middle",
        3,
        [
          [1, 0b001],
          [3, 0b100],
          [2, 0b010],
        ],
        [[2, 3]],
      ],
      [
        "of one time in any order",
        2,
        [
          [1, 0b10],
          [1, 0b01],
        ],
        [[1, 1]],
      ],
      ["one member is not two", 2, [[1, 0b11]], []],
      [
        "two that show both are",
        2,
        [
          [1, 0b11],
          [1, 0b11],
        ],
        [[1, 1]],
      ],
      [
        "one time, whoever else could take the place",
        3,
        [
          [1, 0b011],
          [1, 0b001],
          [1, 0b110],
        ],
        [[2, 1]],
      ],
      [
        "one time, too few for the rules in the middle",
        3,
        [
          [1, 0b110],
          [1, 0b001],
        ],
        [],
      ],
      [
        "with others between",
        2,
        [
          [1, 0b01],
          [2, 0b00],
          [3, 0b01],
          [4, 0b10],
        ],
        [[3, 4]],
      ],
      [
        "too long ago",
        2,
        [
          [1, 0b01],
          [11, 0b10],
        ],
        [],
      ],
      [
        "of one rule",
        1,
        [
          [1, 0b10],
          [2, 0b01],
        ],
        [[1, 2]],
      ],
    ] as const)("sequence: %s", async ([, length, members, expected]) => {
      const condition = { kind: "sequence", length } as const;
      const steps = members.map(([time, rules], index) => step(`m${index}`, time, { rules, condition }));
      expect(await offer(steps)).toEqual(expected);
    });

    test("members without rules show none", async () => {
      expect(await offer([step("a", 1, { condition: { kind: "rules", anyOf: [1] } })])).toEqual([]);
    });

    test.for([
      { kind: "count", atLeast: 0 },
      { kind: "distinct", atLeast: 1.5 },
      { kind: "rules", anyOf: [1, 0] },
      { kind: "rules", anyOf: [2 ** 31] },
      { kind: "sequence", length: 32 },
    ] satisfies readonly WindowCondition[])("refuses %j, which says nothing sensible", async (condition) => {
      const state = await covered();
      await expect(state.window(step("a", 1, { condition }))).rejects.toThrow(RangeError);
      await expect(
        state.rebuild([{ series, from: base }], (add) => add(step("a", 1, { condition }))),
      ).rejects.toThrow(RangeError);
    });
  });

  describe(`${name}: kinds of windows`, () => {
    const condition = { kind: "count", atLeast: 3 } as const;
    const counted = (times: readonly number[], window: WindowKind) =>
      times.map((time, index) => step(`m${index}`, time, { condition, window }));
    const session = (gapMs: number): WindowKind => ({ kind: "session", gapMs });

    test("a tumbling window ends with its slot", async () => {
      expect(await offer(counted([8, 9, 10, 11], { kind: "tumbling" }))).toEqual([]);
      expect(await offer(counted([10, 19.999, 15], { kind: "tumbling" }))).toEqual([[2, 19.999]]);
    });

    test("a session is connected by gaps of at most so much, and no longer than the timespan", async () => {
      expect(await offer(counted([1, 3, 5], session(2000)))).toEqual([[2, 5]]);
      expect(await offer(counted([1, 3, 5.001], session(2000)))).toEqual([]);
      expect(await offer(counted([1, 5, 11], session(6000)))).toEqual([]);
      expect(await offer(counted([1, 5, 10.999], session(6000)))).toEqual([[2, 10.999]]);
    });

    test("a member that connects two sessions makes one of them", async () => {
      expect(await offer(counted([1, 5, 3], session(2000)))).toEqual([[2, 5]]);
    });

    test("the evidence of a session begins where it does, and that of a slot with the slot", async () => {
      for (const [window, first] of [
        [session(2000), "m1"],
        [{ kind: "tumbling" }, "m2"],
      ] as const) {
        const state = await covered();
        let found: readonly string[] = [];
        for (const offered of counted([6, 9, 10, 11, 12], window)) {
          const { qualified } = await state.window(offered);
          found = qualified.at(-1)?.members.map(({ member }) => member) ?? [];
        }
        expect(found[0]).toBe(first);
        expect(found.at(-1)).toBe("m4");
      }
    });
  });
}
