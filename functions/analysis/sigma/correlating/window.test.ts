import { assert, nat, property } from "fast-check";
import { describe, expect, test, vi } from "vitest";

import type { Correlation } from "../language/correlation.ts";
import {
  allOf,
  atLeast,
  correlationOf,
  correlationsOf,
  followedBy,
  kinds,
  memberSets,
  types,
} from "./correlation.testing.ts";
import type { Member } from "./member.ts";
import { bucketsByDefinition, positionsByDefinition } from "./model.testing.ts";
import { isMonotone, reachMs } from "./nature.ts";
import { evaluateAround, evaluateWindow, positionsOf } from "./window.ts";

// Hundreds of drawn streams each: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const runs = { numRuns: 500 };

describe.for(types)("%s", (type) => {
  test("the walk over sorted members finds what the definition says", () => {
    assert(
      property(correlationsOf(type), memberSets, (correlation, members) => {
        expect(evaluateWindow(correlation, members)).toEqual(bucketsByDefinition(correlation, members));
        expect(positionsOf(correlation, members)).toEqual(positionsByDefinition(correlation, members));
      }),
      runs,
    );
  });

  test("around a time are the positions whose answer a member there can change", () => {
    assert(
      property(correlationsOf(type), memberSets, nat({ max: 60 }), (correlation, members, time) => {
        const { before, after } = reachMs(correlation);
        const isAffected = (position: number) => position >= time - after && position < time + before;
        const expected = bucketsByDefinition(correlation, members, isAffected);
        expect(evaluateAround(correlation, members, time)).toEqual(expected);
        const near = members.filter((member) => Math.abs(member.time - time) <= before + after);
        expect(evaluateAround(correlation, near, time)).toEqual(expected);
      }),
      runs,
    );
  });

  test("a member changes no position that is not around it, and takes none away where it is monotone", () => {
    assert(
      property(correlationsOf(type), memberSets, (correlation, members) => {
        const [added, ...others] = members;
        if (!added) return;
        const { before, after } = reachMs(correlation);
        const isFar = (position: number) => position < added.time - after || position >= added.time + before;
        const without = positionsOf(correlation, others);
        const withIt = positionsOf(correlation, members);
        expect(withIt.filter(isFar)).toEqual(without.filter(isFar));
        if (isMonotone(correlation)) expect(withIt).toEqual(expect.arrayContaining([...without]));
      }),
      runs,
    );
  });

  test("the order in which members are given does not matter", () => {
    assert(
      property(correlationsOf(type), memberSets, (correlation, members) => {
        expect(evaluateWindow(correlation, members.toReversed())).toEqual(
          evaluateWindow(correlation, members),
        );
      }),
      { numRuns: 200 },
    );
  });
});

/** Members from `time:rules=value` words; rules are letters of `abc`. */
function membersOf(words: string): readonly Member[] {
  return words.split(" ").map((word, index) => {
    const [, time = "0", letters = "a", value] = /^([\d.]+)([abc]*)(?:=(.*))?$/.exec(word) ?? [];
    const rules = ["a", "b", "c"].reduce(
      (bits, letter, bit) => bits | (letters.includes(letter) ? 1 << bit : 0),
      0,
    );
    return {
      member: `m${index}`,
      time: Number(time),
      rules: rules || 1,
      values: value === undefined ? [] : [value],
    };
  });
}

const ordered = { type: "temporal_ordered" } as const;
const silence = { condition: { kind: "number", comparisons: [{ operator: "lt", operand: 1 }] } } as const;
const sessions = { window: { kind: "session", gapMs: 3 } } as const;
const cases: readonly (readonly [string, Partial<Correlation>, string, readonly number[]])[] = [
  ["an event exactly a timespan older is outside", {}, "1 2 11", []],
  ["half a millisecond younger is inside", {}, "1 2 10.5", [10.5]],
  ["events of one time belong together", {}, "5 5 5", [5]],
  ["each event at which the condition holds is a position", {}, "1 2 3 4 20", [3, 4]],
  ["a tumbling slot does not see the one before", { window: { kind: "tumbling" } }, "8 9 10 11", []],
  ["a tumbling slot begins at its first millisecond", { window: { kind: "tumbling" } }, "10 15 19", [19]],
  ["a session ends with a gap", sessions, "1 2 6 7", []],
  ["a gap of exactly the limit connects", sessions, "1 4 7", [7]],
  ["a session is no longer than a timespan", sessions, "1 4 7 10 11", [7, 10, 11]],
  ["a chain may have the time of its members in common", ordered, "5c 5b 5a", [5]],
  ["a chain out of order is none", ordered, "1c 2b 3a", []],
  ["a chain needs an event of its own for each rule", { ...ordered, condition: allOf(0, 1) }, "1ab", []],
  ["two events that match both rules are a chain", { ...ordered, condition: allOf(0, 1) }, "1ab 2ab", [2]],
  ["an event is used where the chain needs it", ordered, "5abc 5a 5ab", [5]],
  ["an event goes to the only rule it can serve", ordered, "5ab 5a 5ab", []],
  ["a chain stays while its window does", ordered, "1a 2b 3c 10a 11a", [3, 10]],
  ["a chain must fit into the window", ordered, "1a 2b 11c", []],
  ["silence follows the last event", silence, "1 5 9", [9]],
  ["an event at the end of the timespan breaks the silence", silence, "1 11", [11]],
  ["an event after the timespan does not", silence, "1 12", [1, 12]],
  ["not followed by", { ...ordered, condition: followedBy([0], 1) }, "1a 5b 20a", [20]],
  ["what came before does not follow", { ...ordered, condition: followedBy([0], 1) }, "1b 2a", [2]],
  [
    "what comes at the same time does not follow",
    { ...ordered, condition: followedBy([0], 1) },
    "2b 2a",
    [2],
  ],
  [
    "what comes at the end of the timespan follows",
    { ...ordered, condition: followedBy([0], 1) },
    "2a 12b",
    [],
  ],
  ["a chain not followed", { ...ordered, condition: followedBy([0, 1], 2) }, "1a 2b 3b 30a", [2, 3]],
  ["tenths add up as people do", { type: "value_sum", condition: atLeast(0.3) }, "1=0.1 2=0.2", [2]],
  [
    "sums forget what left the window",
    { type: "value_sum", condition: atLeast(3) },
    "1=1e16 11=3 22=2",
    [1, 11],
  ],
  [
    "a member without a number does not count",
    { type: "value_avg", condition: atLeast(2) },
    "1=2 2=x 3=1",
    [1],
  ],
  [
    "a median is the mean of the middle two",
    { type: "value_median", condition: atLeast(2) },
    "1=1 2=3 3=1",
    [2],
  ],
  [
    "a percentile is the nearest rank",
    { type: "value_percentile", percentile: 75, condition: atLeast(3) },
    "1=1 2=3 3=1 4=1",
    [2, 3],
  ],
];

test.for(cases)("%s", ([, changes, words, expected]) => {
  expect(positionsOf(correlationOf(changes), membersOf(words))).toEqual(expected);
});

test("the evidence of a bucket are the members of its qualifying windows, each once", () => {
  const buckets = evaluateWindow(correlationOf({}), membersOf("8 9 9 12 13"));
  expect(
    buckets.map(({ bucket, count, crossedAt, firstSeen, lastSeen }) => [
      bucket,
      count,
      crossedAt,
      firstSeen,
      lastSeen,
    ]),
  ).toEqual([
    [0, 3, 9, 8, 9],
    [1, 5, 12, 8, 13],
  ]);
});

test.for(kinds)("%j: windows of thousands of members are told apart to the last one", (window) => {
  const members = Array.from({ length: 9000 }, (_, time) => ({
    member: `m${time}`,
    time,
    rules: 1,
    values: [],
  }));
  const correlation = correlationOf({ window, timespanMs: 3000, condition: atLeast(3000) });
  const expected = window.kind === "tumbling" ? [3000, 3000, 3000] : [3000, 5999, 5999];
  expect(evaluateWindow(correlation, members).map(({ count }) => count)).toEqual(expected);
});
