import { expect, test } from "vitest";

import { compileGroup, lengthPrefixed } from "./group-key.ts";

const groupOf = compileGroup({ groupBy: ["user_id", "details.host"] });

test("a group is its values, length-prefixed in bytes, and readable by field", () => {
  expect(groupOf({ user_id: "jürgen", details: { host: "edge-2" } })).toEqual({
    key: "7:jürgen6:edge-2",
    values: { user_id: "jürgen", "details.host": "edge-2" },
  });
});

test.for([
  [
    ["ab", "c"],
    ["a", "bc"],
  ],
  [
    ["a", ""],
    ["", "a"],
  ],
  [
    ["1:a", "b"],
    ["1", "a1:b"],
  ],
] as const)("%j and %j are different groups", ([one, other]) => {
  expect(lengthPrefixed(one)).not.toBe(lengthPrefixed(other));
});

test.for([
  [{ user_id: "root" }],
  [{ user_id: "root", details: {} }],
  [{ user_id: "root", details: { host: null } }],
  [{ user_id: "root", details: { host: "" } }],
  [{ user_id: [], details: { host: "edge-2" } }],
] as const)("%j lacks a field and has no group", ([fields]) => {
  expect(groupOf(fields)).toBeUndefined();
});

test("numbers, booleans and lists have a text", () => {
  expect(groupOf({ user_id: 0, details: { host: ["a", "b"] } })?.key).toBe('1:09:["a","b"]');
  expect(groupOf({ user_id: false, details: { host: ["a"] } })?.key).toBe("5:false1:a");
});

test("long values stay distinct and make short keys", () => {
  const [one, other] = ["a", "b"].map((end) =>
    groupOf({ user_id: "x".repeat(100_000) + end, details: { host: "h" } }),
  );
  expect(one?.key).not.toBe(other?.key);
  expect(one?.key.length).toBeLessThan(100);
  expect(one?.values["user_id"]).toHaveLength(256);
});

test("grouping by nothing puts every event into one group", () => {
  expect(compileGroup({ groupBy: [] })({})).toEqual({ key: "", values: {} });
});

test("a group of many long values has a key that an alert can carry", () => {
  const groupBy = Array.from({ length: 9 }, (_, index) => `f${index}`);
  const of = (last: string) => {
    const fields = Object.fromEntries(groupBy.map((name) => [name, "x".repeat(1000)]));
    return compileGroup({ groupBy })({ ...fields, f8: last.repeat(1000) })?.key;
  };
  expect(of("x")?.length).toBeLessThanOrEqual(8192);
  expect(of("x")).not.toBe(of("y"));
});
