import { array, assert, constantFrom, integer, property, record, shuffledSubarray } from "fast-check";
import { describe, expect, test, vi } from "vitest";

import type { Correlation } from "../language/correlation.ts";
import { evaluateCorrelations } from "./chain.ts";
import {
  atLeast,
  atMost,
  correlationOf,
  correlationsOf,
  followedBy,
  memberSets,
  types,
} from "./correlation.testing.ts";
import type { Member } from "./member.ts";
import { positionsByDefinition } from "./model.testing.ts";
import { isMonotone, reachMs } from "./nature.ts";
import { createStream } from "./stream.ts";
import { positionsOf } from "./window.ts";

// Hundreds of drawn streams each: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const limits = { groupsPerCorrelation: 1000, membersPerGroup: 1000 };
const end = 1_000_000;

function idsOf(rules: number): readonly string[] {
  return ["a", "b", "c"].filter((_, index) => (rules & (1 << index)) !== 0);
}

/** The times of the calls in which a stream answers; one comes after everything. */
function answersOf(correlation: Correlation, members: readonly Member[]): readonly number[] {
  const stream = createStream([correlation], limits);
  const answers = members.flatMap(({ time, rules, values }) =>
    stream.process(time, idsOf(rules), { value: values[0] }).map(() => time),
  );
  return [...answers, ...stream.process(end, [], {}).map(() => end)];
}

const anything = { condition: { kind: "number", comparisons: [] } } as const;

/** The same by the definition, applied anew to all that is known at every call. */
function answersByDefinition(correlation: Correlation, members: readonly Member[]): readonly number[] {
  const { after } = reachMs(correlation);
  const found = new Set<number>();
  const isAnswered = (time: number, known: readonly Member[], own?: number) => {
    const positions = positionsByDefinition(correlation, known).filter(
      (position) => after === 0 || position + after < time,
    );
    const isNew = positions.some((position) => !found.has(position) || position === own);
    for (const position of positions) found.add(position);
    return isNew;
  };
  const isMember = (member: Member) =>
    positionsByDefinition({ ...correlation, ...anything }, [member]).length > 0;
  const answers = members.filter((member, index) =>
    after === 0
      ? isAnswered(member.time, members.slice(0, index + 1), isMember(member) ? member.time : undefined)
      : isAnswered(member.time, members.slice(0, index)),
  );
  return [...answers.map(({ time }) => time), ...(isAnswered(end, members) ? [end] : [])];
}

describe.for(types)("%s", (type) => {
  test("in order of time is answered at the positions the whole set qualifies", () => {
    assert(
      property(correlationsOf(type), memberSets, (correlation, members) => {
        const distinct = [...new Map(members.map((member) => [member.time, member])).values()];
        // Of one time, the first ones are judged before the others are known: then only more can be said.
        const given = isMonotone(correlation) ? members : distinct;
        const inOrder = given.toSorted((a, b) => a.time - b.time);
        const positions = positionsByDefinition(correlation, inOrder);
        const { after } = reachMs(correlation);
        const completed = positions.map((position) =>
          after === 0 ? position : (inOrder.find(({ time }) => time > position + after)?.time ?? end),
        );
        expect(new Set(answersOf(correlation, inOrder))).toEqual(new Set(completed));
      }),
      { numRuns: 400 },
    );
  });

  test("in any order is answered for what every event makes of all that came before", () => {
    const shuffled = memberSets.chain((members) =>
      shuffledSubarray([...members], { minLength: members.length }),
    );
    assert(
      property(correlationsOf(type), shuffled, (drawn, members) => {
        // Nothing is later than a window is remembered.
        const correlation = { ...drawn, timespanMs: 31 };
        expect(answersOf(correlation, members)).toEqual(answersByDefinition(correlation, members));
      }),
      { numRuns: 400 },
    );
  });
});

const burst = correlationOf({
  id: "burst",
  refersTo: [{ kind: "rule", id: "a" }],
  groupBy: ["user"],
  condition: atLeast(2),
});
const spread = correlationOf({
  id: "spread",
  type: "value_count",
  refersTo: [
    { kind: "correlation", id: "burst" },
    { kind: "rule", id: "b" },
  ],
  groupBy: ["site"],
  valueFields: ["user"],
  condition: atLeast(2),
  timespanMs: 30,
});

describe("a chain", () => {
  const streams = array(
    record({
      time: integer({ min: 0, max: 120 }),
      user: constantFrom("u", "v", "w"),
      site: constantFrom("s", "t"),
      matched: constantFrom<readonly string[]>(["a"], ["a"], ["b"], ["a", "b"], []),
    }),
    { maxLength: 40 },
  );

  test("in order of time is answered at the positions the whole set qualifies", () => {
    assert(
      property(streams, integer({ min: 1, max: 3 }), (drawn, threshold) => {
        const correlations = [spread, { ...burst, condition: atLeast(threshold) }];
        const events = drawn.toSorted((a, b) => a.time - b.time);
        const stream = createStream(correlations, limits);
        const answers = events.flatMap(({ time, matched, ...fields }) =>
          stream
            .process(time, matched, fields)
            .map(({ correlation, group }) => `${correlation.id} ${group.join()} ${time}`),
        );
        const occurrences = events.map(({ time, matched, ...fields }, index) => ({
          member: String(index),
          time,
          matched,
          fields,
        }));
        const expected = evaluateCorrelations(correlations, occurrences).flatMap(
          ({ correlation, group, members }) =>
            positionsOf(correlation, members).map((time) => `${correlation.id} ${group.join()} ${time}`),
        );
        expect(new Set(answers)).toEqual(new Set(expected));
      }),
      { numRuns: 500 },
    );
  });

  test("counts an event once, also when two things it counts are found at it one after the other", () => {
    const both = correlationOf({
      id: "both",
      type: "temporal",
      refersTo: [
        { kind: "rule", id: "a" },
        { kind: "correlation", id: "quiet" },
      ],
      condition: { kind: "seen", of: { kind: "rule", index: 1 } },
      timespanMs: 30,
    });
    const quiet = correlationOf({
      id: "quiet",
      refersTo: [{ kind: "rule", id: "a" }],
      condition: atMost(0),
      silent: true,
    });
    const counting = { ...both, id: "counting", type: "event_count", condition: atLeast(1) } as const;
    const twice = { ...counting, id: "twice", condition: atLeast(2) };
    const stream = createStream([both, quiet, counting, twice], limits);
    const named = (time: number, ids: readonly string[]) =>
      stream.process(time, ids, {}).map(({ correlation }) => correlation.id);
    expect(named(1, ["a"])).toEqual(["counting"]);
    expect(named(11, [])).toEqual([]);
    expect(named(11.5, [])).toEqual(["both", "counting"]);
    expect(named(12, [])).toEqual([]);
  });

  test("is told once of an event that is found in two groups of what it counts", () => {
    const aliases = { address: { 0: "source", 1: "destination" } };
    const refersTo = [
      { kind: "rule", id: "a" },
      { kind: "rule", id: "b" },
    ] as const;
    const child = correlationOf({
      id: "child",
      refersTo,
      aliases,
      groupBy: ["address"],
      condition: atLeast(2),
      silent: true,
    });
    const parent = correlationOf({
      id: "parent",
      refersTo: [{ kind: "correlation", id: "child" }],
      groupBy: ["user"],
      condition: atLeast(1),
    });
    const stream = createStream([parent, child], limits);
    const at = (time: number, ids: readonly string[], fields: object) =>
      stream.process(time, ids, fields).map(({ group }) => group.join());
    expect(at(1, ["a"], { source: "x", user: "u" })).toEqual([]);
    expect(at(2, ["a", "b"], { source: "x", destination: "y", user: "v" })).toEqual(["v"]);
    expect(at(2, ["b"], { destination: "y", user: "w" })).toEqual(["w"]);
  });

  test("waits for what it counts, whatever order the rules are matched in", () => {
    const order = correlationOf({
      id: "order",
      type: "temporal",
      refersTo: [
        { kind: "rule", id: "b" },
        { kind: "correlation", id: "burst" },
      ],
      condition: followedBy([0], 1),
    });
    for (const ids of [
      ["a", "b"],
      ["b", "a"],
    ]) {
      const stream = createStream([order, { ...burst, silent: true }], limits);
      expect(stream.process(1, ["a"], { user: "u" })).toEqual([]);
      expect(stream.process(2, ids, { user: "u" })).toEqual([]);
    }
  });

  test("remembers for as long as what it counts may be found later", () => {
    const quiet = { ...burst, id: "quiet", condition: atMost(0), silent: true };
    const pair = correlationOf({
      id: "pair",
      refersTo: [{ kind: "correlation", id: "quiet" }],
      condition: atLeast(2),
      timespanMs: 4,
    });
    const stream = createStream([pair, quiet], limits);
    const at = (time: number, user?: string) =>
      stream.process(time, user === undefined ? [] : ["a"], { user }).length;
    expect([at(1, "u"), at(3, "v"), at(11.5), at(13.5)]).toEqual([0, 0, 0, 1]);
  });

  test("does not tell what is silent", () => {
    const stream = createStream([spread, { ...burst, silent: true }], limits);
    const at = (time: number, user: string) =>
      stream.process(time, ["a"], { user, site: "s" }).map(({ correlation }) => correlation.id);
    expect([at(1, "u"), at(2, "u"), at(3, "v"), at(4, "v")]).toEqual([[], [], [], ["spread"]]);
  });
});

describe("memory", () => {
  const once = { ...burst, condition: atLeast(3) };
  const at = (stream: ReturnType<typeof createStream>, time: number, user: string) =>
    stream.process(time, ["a"], { user }).length;

  test("of a group ends when all its members are too old", () => {
    const stream = createStream([once], limits);
    at(stream, 1, "u");
    expect(stream.isDue(21)).toBe(false);
    expect(stream.isDue(22)).toBe(true);
    stream.process(22, [], {});
    expect(stream.isDue(end)).toBe(false);
  });

  test("of a group whose last member is younger lasts longer", () => {
    const stream = createStream([once], limits);
    at(stream, 1, "u");
    at(stream, 15, "u");
    stream.process(22, [], {});
    expect([stream.isDue(35), stream.isDue(36)]).toEqual([false, true]);
  });

  test("of the group touched longest ago ends when there are too many", () => {
    const stream = createStream([once], { ...limits, groupsPerCorrelation: 2 });
    for (const user of ["u", "u", "v", "v", "u", "w", "w"]) at(stream, 1, user);
    expect(at(stream, 1, "u")).toBe(1);
    expect(at(stream, 1, "w")).toBe(1);
    expect(at(stream, 1, "v")).toBe(0);
  });

  test("of a group holds only so many members, and as many as its condition needs", () => {
    const few = { ...limits, membersPerGroup: 4 };
    const wide = correlationOf({
      ...burst,
      type: "value_sum",
      valueFields: ["user"],
      timespanMs: 1000,
      groupBy: [],
      condition: atLeast(8),
    });
    const sum = createStream([wide], few);
    expect(Array.from({ length: 20 }, (_, time) => at(sum, time, "1")).includes(1)).toBe(false);
    const count = createStream([{ ...wide, type: "event_count", valueFields: [] }], few);
    expect(Array.from({ length: 20 }, (_, time) => at(count, time, "1"))).toEqual([
      ...Array.from({ length: 7 }, () => 0),
      ...Array.from({ length: 13 }, () => 1),
    ]);
  });
});

test("a chain that nothing follows is told once, by the first call after the timespan", () => {
  const order = correlationOf({ type: "temporal_ordered", condition: followedBy([0], 1) });
  const stream = createStream([order], limits);
  const at = (time: number, ...ids: string[]) => stream.process(time, ids, {}).length;
  expect([at(1, "a"), at(5, "b"), at(20), at(21, "a"), at(31), at(31.5), at(40)]).toEqual([
    0, 0, 0, 0, 0, 1, 0,
  ]);
});
