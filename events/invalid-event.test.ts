import { describe, expect, test } from "vitest";

import { eventErrorCodes, InvalidEventError, quote } from "./invalid-event.ts";

test("codes are stable words of one area, each once", () => {
  expect(eventErrorCodes.filter((code) => !/^EVENT_[A-Z_]+$/.test(code))).toEqual([]);
  expect(new Set(eventErrorCodes).size).toBe(eventErrorCodes.length);
});

describe("an error about an event", () => {
  const error = new InvalidEventError("EVENT_DATA_INVALID", "no good", { pointer: "/data/a", cause: "why" });

  test("keeps its code, message, place and cause", () => {
    expect(error.about({ id: "1", subject: "s" })).toMatchObject({
      name: "InvalidEventError",
      code: "EVENT_DATA_INVALID",
      message: "no good",
      pointer: "/data/a",
      cause: "why",
      event: { id: "1" },
    });
  });

  test("takes from nonsense only what can be stored and sent again", () => {
    const { event } = error.about({ id: 5, source: "\ud800x", type: "t".repeat(5000), time: null });
    expect(event).toEqual({ source: "\uFFFDx", type: "t".repeat(1024) });
  });
});

describe("a quoted value", () => {
  test.for([
    ["text", "a\nb", '"a\\nb"'],
    ["a number", 5, "5"],
    ["a truth", true, "true"],
    ["null", null, "null"],
    ["nothing", undefined, "nothing"],
    ["an object", { secret: 1 }, "an object"],
    ["an array", [1], "an array"],
    ["a symbol", Symbol("x"), "a symbol"],
  ] as const)("of %s is one short line", ([, value, expected]) => {
    expect(quote(value)).toBe(expected);
  });

  test("of much text is cut", () => {
    expect(quote("x".repeat(1_000_000))).toHaveLength(82);
  });
});
