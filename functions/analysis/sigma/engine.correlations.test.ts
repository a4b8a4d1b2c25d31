import { describe, expect, test } from "vitest";

import { createEngine } from "./engine.ts";
import { correlationText, found, letters, ruleOf, run, type Step } from "./engine.testing.ts";

describe("temporal", () => {
  const both = { type: "temporal", rules: ["a", "b"] };
  test("wants all rules, in any order", () => {
    expect(
      found(both, [
        [1, "b"],
        [2, "a"],
        [13, "b"],
      ]),
    ).toEqual([2]);
    expect(found(both, [[1, "ab"]])).toEqual([1]);
  });

  test.for([
    [
      "a and not b",
      [
        [1, "a"],
        [2, "b"],
        [3, "a"],
        [12.5, "a"],
      ],
      [1, 12.5],
    ],
    ["a or b", [[1, "b"]], [1]],
    ["1 of *", [[1, "b"]], [1]],
  ] as const)("with the condition %s", ([condition, steps, expected]) => {
    expect(found({ ...both, condition }, steps)).toEqual(expected);
  });

  test("ordered wants them in order, those of one time in any", () => {
    const ordered = { type: "temporal_ordered", rules: ["a", "b", "c"] };
    expect(
      found(ordered, [
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ]),
    ).toEqual([3]);
    expect(
      found(ordered, [
        [1, "b"],
        [2, "a"],
        [3, "c"],
      ]),
    ).toEqual([]);
    expect(
      found(ordered, [
        [1, "c"],
        [1, "b"],
        [1, "a"],
      ]),
    ).toEqual([1]);
    expect(
      found(ordered, [
        [1, "abc"],
        [2, "abc"],
      ]),
    ).toEqual([]);
    expect(
      found(ordered, [
        [1, "a"],
        [2, "b"],
        [11, "c"],
      ]),
    ).toEqual([]);
    expect(
      found(ordered, [
        [1, "a"],
        [2, "a"],
        [3, "b"],
        [11.5, "c"],
      ]),
    ).toEqual([11.5]);
  });

  test("ordered wants an event for each time a rule is named", () => {
    const ordered = { type: "temporal_ordered", rules: ["a", "a", "b"] };
    expect(
      found(ordered, [
        [1, "a"],
        [2, "b"],
        [3, "a"],
        [4, "b"],
      ]),
    ).toEqual([4]);
    expect(
      found(ordered, [
        [1, "a"],
        [2, "ab"],
        [3, "a"],
      ]),
    ).toEqual([]);
    const aliases = { address: { a: "source", b: "destination" } };
    const grouped = { ...ordered, aliases, "group-by": ["address"] };
    const [from, to] = [
      { source: "x", destination: "y" },
      { source: "y", destination: "x" },
    ];
    expect(
      found(grouped, [
        [1, "a", from],
        [2, "a", from],
        [3, "b", from],
        [4, "b", to],
      ]),
    ).toEqual([4]);
  });

  test("ordered and not followed by", () => {
    const correlation = { type: "temporal_ordered", rules: ["a", "b"], condition: "a and not b" };
    expect(
      found(correlation, [
        [1, "a"],
        [5, "b"],
        [20, "a"],
        [30, ""],
        [30.5, ""],
        [31, ""],
      ]),
    ).toEqual([30.5]);
  });
});

describe("events that come late", () => {
  test.for([
    ["count where they belong", [100, 5, 1], [1]],
    ["complete windows that ended later", [1, 15, 8], [8]],
    ["that change nothing say nothing", [100, 50], []],
  ] as const)("%s: %j", ([, seconds, expected]) => {
    const steps = seconds.map((second): Step => [second, "a"]);
    expect(found({ condition: { gte: 2 } }, steps)).toEqual(expected);
  });

  test("take their place in a chain", () => {
    const chain = { type: "temporal_ordered", rules: ["a", "b"] };
    expect(
      found(chain, [
        [2, "b"],
        [1, "a"],
      ]),
    ).toEqual([1]);
  });

  test("break a silence that nobody was told of", () => {
    expect(
      found({ condition: { lt: 1 } }, [
        [1, "a"],
        [9, ""],
        [8, "a"],
        [12, ""],
        [18.5, ""],
      ]),
    ).toEqual([18.5]);
  });
});

describe("chains and generate", () => {
  const burst = (changes: object = {}) =>
    correlationText(
      { "group-by": ["user"], condition: { gte: 2 } },
      { id: "burst", title: "Burst", ...changes },
    );
  const chain = (changes: object = {}) =>
    correlationText({
      type: "value_count",
      rules: ["burst"],
      timespan: "1m",
      condition: { field: "user", gte: 2 },
      ...changes,
    });
  const steps: readonly Step[] = [
    [1, "a", { user: "u" }],
    [2, "a", { user: "u" }],
    [3, "a", { user: "v" }],
    [4, "a", { user: "v" }],
  ];

  test("a correlation of correlations counts the events at which they are found", () => {
    expect(run([chain(), burst()], steps)).toEqual(["4 correlation"]);
  });

  test("with generate, what it refers to is told too", () => {
    expect(run([chain({ generate: true }), burst()], steps)).toEqual([
      "2 burst u",
      "4 burst v",
      "4 correlation",
    ]);
  });

  test("rules raise by themselves only with generate", () => {
    const event = { is: "a", user: "u" };
    const silent = createEngine([...letters, burst()]);
    expect(silent.process(1, event, { category: "test" }).detections).toEqual([]);
    expect(silent.evaluate(event, { category: "test" })).toEqual(["a"]);
    const loud = createEngine([...letters, burst({ generate: true })]);
    expect(loud.process(1, event, { category: "test" }).detections).toEqual(["a"]);
  });

  test("a rule nobody refers to raises at every event", () => {
    const engine = createEngine([ruleOf({ selection: { f: 1 } })]);
    expect(engine.process(1, { f: 1 }, { category: "test" })).toEqual({
      detections: ["rule"],
      correlations: [],
    });
  });
});

test("events without a time are judged by themselves and counted nowhere", () => {
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(
      found({ condition: { gte: 1 } }, [
        [time, "a"],
        [1, "a"],
      ]),
    ).toEqual([1]);
  }
});
