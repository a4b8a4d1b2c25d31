import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { dispositions } from "../alert-view.ts";
import { joinLives, type Life, type LivedEpisode, liveOn, newLife } from "./life.ts";

const life: fc.Arbitrary<Life> = fc.record({
  status: fc.constantFrom("open", "acknowledged", "in_progress", "resolved"),
  disposition: fc.option(fc.constantFrom(...dispositions)),
  assignee: fc.option(fc.constantFrom("ana", "ben")),
  snoozedUntil: fc.option(fc.integer({ min: 0, max: 2 })),
  // Few values, so that there are ties.
  workedAt: fc.option(fc.integer({ min: 0, max: 2 })),
  revision: fc.nat(5),
});

const stateOf = (of: Life) => ({ ...of, revision: 0 });

describe("lives that join", () => {
  test("come to the same in every order and nesting, and changes add up", () => {
    fc.assert(
      fc.property(fc.tuple(life, life, life), ([a, b, c]) => {
        expect(joinLives(a, b)).toEqual(joinLives(b, a));
        expect(joinLives(joinLives(a, b), c)).toEqual(joinLives(a, joinLives(b, c)));
        expect(stateOf(joinLives(a, a))).toEqual(stateOf(a));
        expect(joinLives(a, b).revision).toBe(a.revision + b.revision);
      }),
      { numRuns: 2000 },
    );
  });

  test("go on as the one that was worked on last", () => {
    const acknowledged: Life = { ...newLife("open"), status: "acknowledged", workedAt: 5, revision: 1 };
    const resolved: Life = { ...acknowledged, status: "resolved", workedAt: 4, revision: 3 };
    expect(joinLives(acknowledged, newLife("open"))).toEqual(acknowledged);
    expect(joinLives(acknowledged, resolved)).toEqual({ ...acknowledged, revision: 4 });
  });
});

describe("a resolved episode", () => {
  const resolved: Life = {
    ...newLife("open"),
    status: "resolved",
    disposition: "benign",
    assignee: "ana",
    workedAt: 100,
    revision: 2,
  };
  const episode = (id: string, [firstSeen, lastSeen]: readonly [number, number], of: Life): LivedEpisode => ({
    id,
    groupId: "g",
    firstSeen,
    lastSeen,
    timestamp: firstSeen,
    count: 1,
    life: of,
  });
  const known = episode("a", [10, 50], resolved);
  const on = (absorbed: readonly LivedEpisode[], lastSeen: number, added: readonly number[] = []) =>
    liveOn(
      { episode: { ...known, lastSeen }, absorbed: absorbed.map(({ id }) => id) },
      { absorbed, added, now: 200 },
    );

  test.for<[string, readonly LivedEpisode[], number, readonly number[]]>([
    ["evidence of a later time", [known], 120, [120]],
    [
      "evidence of a later time that does not make it longer",
      [episode("a", [10, 300], resolved)],
      300,
      [150],
    ],
    ["a span that grew beyond it", [known], 101, []],
    ["an open episode that reaches beyond it", [known, episode("b", [60, 130], newLife("open"))], 130, []],
  ])("is opened again by %s", ([, absorbed, lastSeen, added]) => {
    expect(on(absorbed, lastSeen, added)).toEqual({
      life: { ...resolved, status: "open", disposition: null, workedAt: 200, revision: 3 },
      reopened: resolved,
    });
  });

  test.for<[string, readonly LivedEpisode[], number, readonly number[]]>([
    ["evidence of the time before", [known], 99, [99]],
    ["evidence of the very moment", [known], 100, [100]],
    ["what was known, though of a later time", [episode("a", [10, 300], resolved)], 300, [20]],
    ["an open episode of the time before", [known, episode("b", [60, 90], newLife("open"))], 90, []],
  ])("stays so with %s", ([, absorbed, lastSeen, added]) => {
    const onward = on(absorbed, lastSeen, added);
    expect(onward).toMatchObject({ life: { status: "resolved", disposition: "benign" } });
    expect(onward?.reopened).toBeUndefined();
  });

  test("that is new has no life to go on with", () => {
    expect(on([], 50)).toBeUndefined();
  });
});
