import { describe, expect, test } from "vitest";

import { correlationOf } from "./correlation.testing.ts";
import { compileMembership } from "./membership.ts";

describe("group-by", () => {
  const membershipOf = compileMembership(correlationOf({ groupBy: ["user", "host.name"] }));

  test("names its values in written order", () => {
    expect(membershipOf(["a"], { user: "jürgen", host: { name: "edge-2" } })).toEqual([
      { group: ["jürgen", "edge-2"], rules: 0b001, values: [] },
    ]);
  });

  test.for([
    [{ user: "root" }],
    [{ user: "root", host: {} }],
    [{ user: "root", host: { name: null } }],
    [{ user: "root", host: { name: "" } }],
    [{ user: [], host: { name: "edge-2" } }],
  ] as const)("%j lacks a field and is no member", ([fields]) => {
    expect(membershipOf(["a"], fields)).toEqual([]);
  });

  test("reads numbers, booleans and lists as texts", () => {
    expect(membershipOf(["a"], { user: 0, host: { name: ["a", "b"] } })).toMatchObject([
      { group: ["0", '["a","b"]'] },
    ]);
    expect(membershipOf(["a"], { user: false, host: { name: ["a"] } })).toMatchObject([
      { group: ["false", "a"] },
    ]);
  });

  test("of nothing puts every event into one group", () => {
    expect(compileMembership(correlationOf({}))(["b"], {})).toEqual([
      { group: [], rules: 0b010, values: [] },
    ]);
  });
});

test("an event that matches several rules is one member that shows all of them", () => {
  expect(compileMembership(correlationOf({}))(["c", "other", "a"], {})).toMatchObject([{ rules: 0b101 }]);
});

test("an event that matches none of the rules is no member", () => {
  expect(compileMembership(correlationOf({}))(["other"], {})).toEqual([]);
});

test("rules behind the thirty-first share its bit", () => {
  const refersTo = Array.from({ length: 40 }, (_, index) => ({ kind: "rule", id: `r${index}` }) as const);
  const membershipOf = compileMembership(correlationOf({ refersTo }));
  expect(membershipOf(["r39"], {})).toMatchObject([{ rules: 2 ** 30 }]);
});

describe("aliases", () => {
  const aliases = { address: { 0: "source", 1: "destination" } };
  const membershipOf = compileMembership(correlationOf({ groupBy: ["address"], aliases }));

  test("read another field for each rule", () => {
    expect(membershipOf(["a"], { source: "x", destination: "y" })).toMatchObject([{ group: ["x"] }]);
    expect(membershipOf(["b"], { source: "x", destination: "y" })).toMatchObject([{ group: ["y"] }]);
  });

  test("make an event a member of several groups, each with the rules it matches there", () => {
    expect(membershipOf(["a", "b"], { source: "x", destination: "y" })).toMatchObject([
      { group: ["x"], rules: 0b01 },
      { group: ["y"], rules: 0b10 },
    ]);
    expect(membershipOf(["a", "b"], { source: "x", destination: "x" })).toMatchObject([
      { group: ["x"], rules: 0b11 },
    ]);
  });

  test("give a rule they do not name no field, not even one of the alias's own name", () => {
    expect(membershipOf(["c"], { address: "x", source: "x" })).toEqual([]);
  });
});

describe("values", () => {
  const distinct = compileMembership(correlationOf({ type: "value_count", valueFields: ["user", "host"] }));
  const sum = compileMembership(correlationOf({ type: "value_sum", valueFields: ["bytes"] }));

  test("of several fields count together", () => {
    expect(distinct(["a"], { user: "u", host: "h" })).toMatchObject([{ values: ["u", "h"] }]);
  });

  test.for([[{ user: "u" }], [{ user: "u", host: null }], [{ user: "", host: "h" }]] as const)(
    "%j lacks one and does not count",
    ([fields]) => expect(distinct(["a"], fields)).toEqual([]),
  );

  test("are numbers, or texts that are some", () => {
    expect(sum(["a"], { bytes: 12.5 })).toMatchObject([{ values: ["12.5"] }]);
    expect(sum(["a"], { bytes: "0" })).toMatchObject([{ values: ["0"] }]);
  });

  test.for([[{}], [{ bytes: null }], [{ bytes: "many" }], [{ bytes: true }], [{ bytes: [1, 2] }]] as const)(
    "%j has no number and does not count",
    ([fields]) => expect(sum(["a"], fields)).toEqual([]),
  );
});

test("events that are no plain objects are survived", () => {
  const membershipOf = compileMembership(correlationOf({ groupBy: ["constructor"] }));
  expect(membershipOf(["a"], [])).toEqual([]);
  expect(membershipOf(["a"], Object.create(null) as object)).toEqual([]);
});
