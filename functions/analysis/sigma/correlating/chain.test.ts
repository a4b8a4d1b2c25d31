import { assert, array, constantFrom, integer, nat, option, property, record } from "fast-check";
import { describe, expect, test, vi } from "vitest";

import type { Correlation } from "../language/correlation.ts";
import { chainReachMs, evaluateCorrelations, type Occurrence, withReferred } from "./chain.ts";
import { atLeast, correlationOf, followedBy } from "./correlation.testing.ts";
import { bucketsByDefinition, positionsByDefinition } from "./model.testing.ts";

// Hundreds of drawn streams each: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const referred = { kind: "rule", id: "a" } as const;
const burst = correlationOf({
  id: "burst",
  refersTo: [referred],
  groupBy: ["user"],
  condition: atLeast(2),
  silent: true,
});
const spread = correlationOf({
  id: "spread",
  type: "value_count",
  refersTo: [{ kind: "correlation", id: "burst" }],
  groupBy: ["site"],
  valueFields: ["user"],
  condition: atLeast(2),
  timespanMs: 30,
});
const both = [spread, burst];

function occurrence(index: number, time: number, fields: object): Occurrence {
  return { member: `m${index}`, time, matched: ["a"], fields };
}

const events = [
  occurrence(0, 1, { user: "u", site: "s" }),
  occurrence(1, 2, { user: "u", site: "s" }),
  occurrence(2, 3, { user: "v", site: "s" }),
  occurrence(3, 20, { user: "v", site: "s" }),
  occurrence(4, 21, { user: "v", site: "s" }),
  occurrence(5, 22, { user: "w", site: "t" }),
  occurrence(6, 23, { user: "w", site: "t" }),
];

function bucketsOf(correlation: Correlation, correlations: readonly Correlation[], given = events) {
  return evaluateCorrelations(correlations, given)
    .filter((outcome) => outcome.correlation === correlation)
    .flatMap(({ group, buckets }) =>
      buckets.map(({ crossedAt, members }) => [
        group.join(),
        crossedAt,
        members.map(({ member }) => member).join(),
      ]),
    );
}

describe("a correlation of correlations", () => {
  test("counts the events at which the referred one qualifies, by their own fields", () => {
    expect(bucketsOf(burst, both)).toEqual([
      ["u", 2, "m0,m1"],
      ["v", 21, "m3,m4"],
      ["w", 23, "m5,m6"],
    ]);
    expect(bucketsOf(spread, both)).toEqual([["s", 21, "m1,m4"]]);
  });

  test("may be given before what it refers to, and events in any order", () => {
    expect(bucketsOf(spread, [burst, spread], events.toReversed())).toEqual([["s", 21, "m1,m4"]]);
  });

  test("may stand on a silence", () => {
    const quiet = correlationOf({
      ...burst,
      condition: { kind: "number", comparisons: [{ operator: "eq", operand: 0 }] },
    });
    expect(bucketsOf(spread, [spread, quiet])).toEqual([["s", 3, "m1,m2,m4"]]);
  });

  test("may take rules and correlations together", () => {
    const order = correlationOf({
      id: "order",
      type: "temporal_ordered",
      refersTo: [
        { kind: "correlation", id: "burst" },
        { kind: "rule", id: "b" },
      ],
      condition: {
        kind: "seen",
        of: {
          kind: "and",
          of: [
            { kind: "rule", index: 0 },
            { kind: "rule", index: 1 },
          ],
        },
      },
      groupBy: ["user"],
    });
    const after = { ...occurrence(7, 5, { user: "u" }), matched: ["b"] };
    expect(bucketsOf(order, [order, burst], [...events, after])).toEqual([["u", 5, "m1,m7"]]);
  });
});

test("a chain is told with all it stands on, each after what it refers to", () => {
  const top = correlationOf({ id: "top", refersTo: [{ kind: "correlation", id: "spread" }, referred] });
  const unrelated = correlationOf({ id: "unrelated" });
  expect(withReferred(top, [unrelated, top, spread, burst]).map(({ id }) => id)).toEqual([
    "burst",
    "spread",
    "top",
  ]);
});

test("the reaches of a chain add up", () => {
  const silence = correlationOf({
    ...spread,
    type: "temporal_ordered",
    condition: followedBy([0], 1),
    timespanMs: 30,
  });
  expect(chainReachMs(spread, both)).toEqual({ before: 40, after: 0 });
  expect(chainReachMs(silence, [silence, burst])).toEqual({ before: 40, after: 30 });
});

const streams = array(
  record({
    time: nat({ max: 120 }),
    user: option(constantFrom("u", "v", "w"), { freq: 8 }),
    site: constantFrom("s", "t"),
    matched: constantFrom<readonly string[]>(["a"], ["b"], ["a", "b"], []),
  }),
  { maxLength: 30 },
);

test("a chain is what the definition makes of the positions of what it refers to", () => {
  assert(
    property(streams, integer({ min: 1, max: 3 }), (stream, threshold) => {
      const child = { ...burst, condition: atLeast(threshold) };
      const occurrences = stream.map(({ time, matched, ...fields }, index) => ({
        member: `m${String(index).padStart(2, "0")}`,
        time,
        matched,
        fields,
      }));
      const toMember = ({ member, time, fields }: (typeof occurrences)[number]) => ({
        member,
        time,
        rules: 1,
        values: [fields.user ?? ""],
      });
      const ofRule = occurrences.filter(
        ({ matched, fields }) => matched.includes("a") && fields.user !== null,
      );
      const qualifying = ofRule.filter(({ time, fields }) => {
        const own = ofRule.filter((other) => other.fields.user === fields.user).map(toMember);
        return positionsByDefinition(child, own).includes(time);
      });
      const expected = ["s", "t"].flatMap((site) =>
        bucketsByDefinition(spread, qualifying.filter(({ fields }) => fields.site === site).map(toMember)),
      );
      const outcomes = evaluateCorrelations([child, spread], occurrences);
      const found = outcomes.filter(({ correlation }) => correlation === spread);
      const inOrder = found.toSorted((a, b) => (a.group.join() < b.group.join() ? -1 : 1));
      expect(inOrder.flatMap(({ buckets }) => buckets)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("only the positions asked for are answered, from the events within reach of them", () => {
  assert(
    property(streams, nat({ max: 120 }), (stream, time) => {
      const occurrences = stream.map(({ time, matched, ...fields }, index) => ({
        member: `m${String(index).padStart(2, "0")}`,
        time,
        matched,
        fields,
      }));
      const { before, after } = chainReachMs(spread, both);
      const between = { from: time - after, to: time + before };
      const near = occurrences.filter((one) => Math.abs(one.time - time) <= before + after);
      const positions = (given: readonly Occurrence[], limits?: typeof between) =>
        evaluateCorrelations(both, given, limits)
          .filter(({ correlation }) => correlation === spread)
          .flatMap(({ group, buckets }) => buckets.map(({ crossedAt }) => `${group.join()} ${crossedAt}`))
          .toSorted();
      expect(positions(near, between)).toEqual(positions(occurrences, between));
    }),
    { numRuns: 300 },
  );
});
