import { expect, test } from "vitest";

import { lengthPrefixed, toGroup } from "./group-key.ts";

const groupBy = ["user_id", "details.host"];

test("a group is its values, length-prefixed in bytes, and readable by field", () => {
  expect(toGroup(groupBy, ["jürgen", "edge-2"])).toEqual({
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

test("long values stay distinct and make short keys", () => {
  const [one, other] = ["a", "b"].map((end) => toGroup(groupBy, ["x".repeat(100_000) + end, "h"]));
  expect(one?.key).not.toBe(other?.key);
  expect(one?.key.length).toBeLessThan(100);
  expect(one?.values["user_id"]).toHaveLength(256);
});

test("what is shown never ends in half a character", () => {
  const { values } = toGroup(["user_id"], [`${"x".repeat(255)}\u{1F600}`]);
  expect(values["user_id"]).toBe(`${"x".repeat(255)}\uFFFD`);
});

test("grouping by nothing puts every event into one group", () => {
  expect(toGroup([], [])).toEqual({ key: "", values: {} });
});

test("a group of many long values has a key that an alert can carry", () => {
  const fields = Array.from({ length: 9 }, (_, index) => `f${index}`);
  const of = (last: string) =>
    toGroup(
      fields,
      fields.map((name) => (name === "f8" ? last : "x").repeat(1000)),
    ).key;
  expect(of("x").length).toBeLessThanOrEqual(8192);
  expect(of("x")).not.toBe(of("y"));
});
