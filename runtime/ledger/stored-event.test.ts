import { assert, property } from "fast-check";
import { expect, test } from "vitest";

import { validEvent } from "../../test/support/arbitrary-event.ts";
import { digestOf, fromText, toColumn, toText } from "./stored-event.ts";

test("any event comes back from its text as it was", () => {
  assert(
    property(validEvent, (event) => {
      expect(fromText(toText(event))).toEqual(event);
    }),
  );
});

test("its text holds nothing that PostgreSQL refuses", () => {
  assert(
    property(validEvent, (event) => {
      const text = toText({
        ...event,
        id: `${event.id}\u0000\ud800`,
        data: ["\u0000", "\udfff", event.data],
      });
      expect(text.isWellFormed() && !text.includes("\u0000")).toBe(true);
    }),
  );
});

test("an event and what came back have one digest", () => {
  assert(
    property(validEvent, (event) => {
      expect(digestOf(fromText(toText(event))).equals(digestOf(event))).toBe(true);
    }),
  );
});

const event = { specversion: "1.0", id: "1", source: "/s", type: "t", extensions: {} } as const;

test.for([
  ["a number and its text", 1, "1"],
  ["nothing and null", { a: undefined }, { a: null }],
  ["an empty list and an empty object", [], {}],
  ["lists in another order", [1, 2], [2, 1]],
  ["bytes and the text of their base64", Buffer.from("a"), "bytes:YQ=="],
  ["names that are joined differently", { "a,b": 1 }, { a: 1, b: 1 }],
] as const)("%s are not the same data", ([, one, other]) => {
  expect(digestOf({ ...event, data: one })).not.toEqual(digestOf({ ...event, data: other }));
});

test("type, subject and data cannot stand in for each other", () => {
  const parts = [
    { type: "ab", subject: "c", data: "d" },
    { type: "a", subject: "bc", data: "d" },
    { type: "a", subject: "b", data: "cd" },
    { type: "ab", subject: undefined, data: "cd" },
  ];
  expect(new Set(parts.map((part) => digestOf({ ...event, ...part }).toString("hex"))).size).toBe(4);
});

test("members may come in any order", () => {
  const one = digestOf({ ...event, data: { a: { b: 1, c: [2] }, d: 3 } });
  expect(digestOf({ ...event, data: { d: 3, a: { c: [2], b: 1 } } })).toEqual(one);
});

test("a column shows that something could not be shown", () => {
  expect(toColumn("a\u0000b\ud800c")).toBe("a\uFFFDb\uFFFDc");
});
