import { describe, expect, test } from "vitest";

import { createEngine } from "./engine.ts";
import { correlationText, found, letters, run, type Step } from "./engine.testing.ts";

/** Events of the rule `a` at these seconds, then one that matches nothing much later. */
function at(...seconds: readonly number[]): readonly Step[] {
  return [...seconds.map((second): Step => [second, "a"]), [10_000, ""]];
}

const session = { auditflow: { window: { type: "session", gap: "3s" } } };
const tumbling = { auditflow: { window: { type: "tumbling" } } };

describe("event_count", () => {
  test.for([
    ["fires at each event at which there are enough", { gte: 3 }, [1, 2, 3, 4, 30], [3, 4]],
    ["an event a timespan older is outside", { gte: 2 }, [0, 10], []],
    ["an event a little younger is inside", { gte: 2 }, [0, 9.999_999], [9.999_999]],
    ["decimal seconds are as far apart as they say", { gte: 2 }, [1_700_000_000.1, 1_700_000_010.1], []],
    ["at one time", { gte: 3 }, [5, 5, 5], [5]],
    ["gt", { gt: 2 }, [1, 2, 3], [3]],
    ["lt: as long as there are few", { lt: 3 }, [1, 2, 3, 30], [1, 2, 30]],
    ["lte", { lte: 1 }, [1, 2, 30], [1, 30]],
    ["eq", { eq: 2 }, [1, 2, 3, 30], [2]],
    ["neq", { neq: 2 }, [1, 2, 3, 30], [1, 3, 30]],
    ["a range", { gte: 2, lt: 4 }, [1, 2, 3, 4, 30], [2, 3]],
    ["silence after the last event", { lt: 1 }, [1, 5, 9], [10_000]],
    ["silence is told by the first event after it", { eq: 0 }, [1, 11, 21.5, 22], [21.5, 10_000]],
  ] as const)("%s: %j", ([, condition, seconds, expected]) => {
    expect(found({ condition }, at(...seconds))).toEqual(expected);
  });

  test.for([
    ["tumbling windows do not see the slot before", tumbling, [8, 9, 10, 11], []],
    ["tumbling windows begin with their slot", tumbling, [10, 15, 19.9], [19.9]],
    ["sessions end with a gap", session, [1, 2, 6, 7], []],
    ["sessions go on over gaps of the limit", session, [1, 4, 7], [7]],
  ] as const)("%s", ([, changes, seconds, expected]) => {
    expect(found({ condition: { gte: 3 } }, at(...seconds), changes)).toEqual(expected);
  });

  test("several rules count together, an event that matches two of them once", () => {
    expect(
      found({ rules: ["a", "b"], condition: { gte: 3 } }, [
        [1, "ab"],
        [2, "a"],
        [3, "b"],
      ]),
    ).toEqual([3]);
  });

  test("rules are named by id or by name", () => {
    expect(found({ rules: ["name_a"], condition: { gte: 2 } }, at(1, 2))).toEqual([2]);
  });

  test("timespans have units", () => {
    expect(found({ timespan: "2m", condition: { gte: 2 } }, at(0, 119))).toEqual([119]);
    expect(found({ timespan: "2m", condition: { gte: 2 } }, at(0, 120))).toEqual([]);
    expect(found({ timespan: "1h", condition: { gte: 2 } }, at(0, 3599))).toEqual([3599]);
    expect(
      found({ timespan: "1d", condition: { gte: 2 } }, [
        [0, "a"],
        [86_399, "a"],
      ]),
    ).toEqual([86_399]);
  });
});

describe("group-by", () => {
  const burst = correlationText({ "group-by": ["user", "host.name"], condition: { gte: 2 } });
  const user = (name: unknown, host: unknown = "h") => ({ user: name, host: { name: host } });

  test("counts each group by itself, and names it", () => {
    const steps: readonly Step[] = [
      [1, "a", user("u")],
      [2, "a", user("v")],
      [3, "a", user("u")],
    ];
    expect(run([burst], steps)).toEqual(["3 correlation u h"]);
  });

  test("keeps apart what a joined key would mix", () => {
    expect(
      run(
        [burst],
        [
          [1, "a", user("ab", "c")],
          [2, "a", user("a", "bc")],
        ],
      ),
    ).toEqual([]);
  });

  test("an event without one of the fields is no member", () => {
    for (const fields of [{}, { user: "u" }, user(""), user("u", null), user([])]) {
      expect(
        run(
          [burst],
          [
            [1, "a", fields],
            [2, "a", fields],
            [3, "a", fields],
          ],
        ),
      ).toEqual([]);
    }
  });

  test("numbers and texts that are alike are one group", () => {
    expect(
      run(
        [burst],
        [
          [1, "a", user(7)],
          [2, "a", user("7")],
        ],
      ),
    ).toEqual(["2 correlation 7 h"]);
  });

  test("answers the values by field", () => {
    const engine = createEngine([...letters, burst]);
    engine.process(1, { is: "a", ...user("u") }, { category: "test" });
    expect(engine.process(2, { is: "a", ...user("u") }, { category: "test" })).toEqual({
      detections: [],
      correlations: [{ rule: "correlation", group: { user: "u", "host.name": "h" } }],
    });
  });

  test("aliases read another field for each rule", () => {
    const aliases = { address: { a: "source", b: "destination" } };
    const text = correlationText({ type: "temporal", rules: ["a", "b"], aliases, "group-by": ["address"] });
    const steps: readonly Step[] = [
      [1, "a", { source: "x", destination: "y" }],
      [2, "b", { source: "x", destination: "y" }],
      [3, "b", { source: "y", destination: "x" }],
    ];
    expect(run([text], steps)).toEqual(["3 correlation x"]);
  });
});

describe("value_count", () => {
  const value = (f: unknown, g?: unknown) => ({ f, g });
  test("counts different values", () => {
    const correlation = { type: "value_count", condition: { field: "f", gte: 2 } };
    expect(
      found(correlation, [
        [1, "a", value("x")],
        [2, "a", value("x")],
        [3, "a", value("y")],
      ]),
    ).toEqual([3]);
    expect(
      found(correlation, [
        [1, "a", value("x")],
        [2, "a", value(null)],
        [3, "a", value(undefined)],
      ]),
    ).toEqual([]);
    expect(
      found(correlation, [
        [1, "a", value("x")],
        [11, "a", value("y")],
      ]),
    ).toEqual([]);
  });

  test("counts several fields together", () => {
    const correlation = { type: "value_count", condition: { field: ["f", "g"], gte: 2 } };
    expect(
      found(correlation, [
        [1, "a", value("x", "y")],
        [2, "a", value("x", "z")],
      ]),
    ).toEqual([2]);
    expect(
      found(correlation, [
        [1, "a", value("x", "y")],
        [2, "a", value("x")],
        [3, "a", value("x", "y")],
      ]),
    ).toEqual([]);
  });
});

describe("value_sum, value_avg, value_median and value_percentile", () => {
  const numbers = (...values: readonly unknown[]): readonly Step[] =>
    values.map((n, index) => [index + 1, "a", { n }]);
  test.for([
    ["value_sum", { gte: 0.3 }, [0.1, "0.2"], [2]],
    ["value_sum", { gt: 5 }, [3, "x", null, 3], [4]],
    ["value_sum", { lt: 0 }, [1, -2, 3], [2]],
    ["value_avg", { gte: 2 }, [1, 2, 4], [3]],
    ["value_median", { gte: 2 }, [1, 3, 1], [2]],
    ["value_percentile", { percentile: 50, gte: 2 }, [2, 1, 2, 1], [1, 3]],
    ["value_percentile", { percentile: 100, gte: 5 }, [1, 5, 2], [2, 3]],
    ["value_percentile", { percentile: 0, gte: 2 }, [2, 3, 1], [1, 2]],
  ] as const)("%s %j of %j", ([type, condition, values, expected]) => {
    expect(found({ type, condition: { field: "n", ...condition } }, numbers(...values))).toEqual(expected);
  });
});
