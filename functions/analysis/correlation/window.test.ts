import { array, assert, integer, nat, property } from "fast-check";
import { expect, test } from "vitest";

import type { QualifiedBucket } from "../../../runtime/state/state.ts";
import { evaluateAround, evaluateWindow } from "./window.ts";
import type { WindowSpan } from "./window.ts";

const times = array(nat({ max: 60 }), { maxLength: 25 });
const threshold = integer({ min: 1, max: 5 });

/** The definition, word by word and as slow as it likes. */
function byDefinition(
  given: readonly number[],
  span: WindowSpan,
  around?: number,
): readonly QualifiedBucket[] {
  const members = given.map((time, i) => ({ member: `m${String(i).padStart(2, "0")}`, time }));
  const inWindow = (position: number) =>
    members.filter(({ time }) => time > position - span.timespanMs && time <= position);
  const positions = [...new Set(given)]
    .toSorted((a, b) => a - b)
    .filter((position) => inWindow(position).length >= span.threshold)
    .filter(
      (position) => around === undefined || (position >= around && position < around + span.timespanMs),
    );
  const buckets = new Set(positions.map((position) => Math.floor(position / span.timespanMs)));
  return [...buckets].map((bucket) => {
    const own = positions.filter((position) => Math.floor(position / span.timespanMs) === bucket);
    const evidence = members
      .filter((member) => own.some((position) => inWindow(position).includes(member)))
      .toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
    const [crossedAt = 0, lastSeen = 0, firstSeen = 0] = [own[0], own.at(-1), evidence[0]?.time];
    return { bucket, crossedAt, count: evidence.length, firstSeen, lastSeen, members: evidence };
  });
}

test("the walk over sorted members finds what the definition says", () => {
  assert(
    property(times, threshold, nat({ max: 60 }), (given, threshold, around) => {
      const span = { timespanMs: 10, threshold };
      const members = given.map((time, i) => ({ member: `m${String(i).padStart(2, "0")}`, time }));
      expect(evaluateWindow(members, span)).toEqual(byDefinition(given, span));
      expect(evaluateAround(members, span, around)).toEqual(byDefinition(given, span, around));
    }),
    { numRuns: 1000 },
  );
});

test.for([
  [[1, 2, 9], 3, [[0, 3]]],
  [[1, 2, 11], 3, []],
  [[1, 2, 10.5], 3, [[1, 3]]],
  [[5, 5, 5], 3, [[0, 3]]],
  [
    [8, 9, 9, 12],
    3,
    [
      [0, 3],
      [1, 4],
    ],
  ],
] as const)("times %j at threshold %d make buckets %j", ([given, threshold, expected]) => {
  const members = given.map((time, i) => ({ member: `m${i}`, time }));
  const found = evaluateWindow(members, { timespanMs: 10, threshold });
  expect(found.map(({ bucket, count }) => [bucket, count])).toEqual(expected);
});
