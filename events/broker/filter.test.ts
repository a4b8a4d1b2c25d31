import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { HeaderValue } from "./broker.ts";
import { admits } from "./filter.ts";

const value: fc.Arbitrary<HeaderValue> = fc.oneof(
  fc.constantFrom("", "a", "A", "5", "true", "*"),
  fc.constantFrom(0, 5, -1),
  fc.boolean(),
);
const name = fc.constantFrom("type", "source", "subject", "content-type", "x-match", "x-knative-trigger");
const headers = fc.dictionary(name, value);

describe("a binding", () => {
  test.for([
    ["nothing asked", {}, { type: "a" }, true],
    ["only x- arguments", { "x-match": "all", "x-knative-trigger": "t" }, {}, true],
    ["an x- argument that differs", { "x-a": "1" }, { "x-a": "2" }, true],
    ["a number for text", { n: "5" }, { n: 5 }, false],
    ["text for a number", { n: 5 }, { n: "5" }, false],
    ["a boolean for text", { b: "true" }, { b: true }, false],
    ["the empty string for an absent header", { s: "" }, {}, false],
    ["void for a present header", { s: null }, { s: 0 }, true],
    ["void for an absent header", { s: null }, {}, false],
    ["a name only the prototype has", { constructor: "x" }, {}, false],
  ] as const)("%s", ([, binding, present, expected]) => {
    expect(admits(binding, present)).toBe(expected);
  });

  test("admits the very headers it was made of, and still does when more are added", () => {
    fc.assert(
      fc.property(headers, headers, (binding, more) => {
        expect(admits(binding, { ...more, ...binding })).toBe(true);
      }),
    );
  });

  test("admits nothing once one header it asks for is changed or gone", () => {
    fc.assert(
      fc.property(headers, value, fc.nat(), (binding, other, at) => {
        const asked = Object.keys(binding).filter((key) => !key.startsWith("x-"));
        const key = asked[at % Math.max(asked.length, 1)];
        fc.pre(key !== undefined);
        const { [key]: expected, ...rest } = binding;
        expect(admits(binding, rest)).toBe(false);
        fc.pre(other !== expected);
        expect(admits(binding, { ...rest, [key]: other })).toBe(false);
      }),
    );
  });

  test("of two bindings joined admits what both admit", () => {
    fc.assert(
      fc.property(headers, headers, headers, (left, right, present) => {
        const clash = Object.keys(left).some((key) => key in right && left[key] !== right[key]);
        fc.pre(!clash);
        const both = admits(left, present) && admits(right, present);
        expect(admits({ ...left, ...right }, present)).toBe(both);
      }),
    );
  });
});
