import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { toStoredJson } from "./stored-text.ts";

const nul = "\u0000";

describe("text that PostgreSQL cannot hold", () => {
  test.for<[string, string, string]>([
    ["NUL becomes its visible escape", `a${nul}b`, String.raw`a\u0000b`],
    ["two in a row", `${nul}${nul}`, String.raw`\u0000\u0000`],
    ["after a backslash", `\\${nul}`, String.raw`\\u0000`],
    ["text that only looks like an escape stays", String.raw`\u0000`, String.raw`\u0000`],
    ["a lone surrogate becomes its visible escape", "a\ud800b", String.raw`a\ud800b`],
    ["a pair stays", "😀", "😀"],
    ["control characters that can be stored stay", "\u0001\u001f", "\u0001\u001f"],
  ])("%s", ([, given, stored]) => {
    expect(JSON.parse(toStoredJson({ [given]: [given] }))).toEqual({ [stored]: [stored] });
  });

  test("whatever comes in, nothing unstorable goes out, and storable values do not change", () => {
    const text = fc.string({ unit: "binary" }).map((well) => well.replaceAll("x", nul));
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: "binary" }),
        fc.array(text),
        fc.uint16Array(),
        (value, texts, units) => {
          const raw = String.fromCharCode(...units);
          const stored = JSON.parse(toStoredJson([texts, raw])) as [string[], string];
          expect([...stored[0], stored[1]].every((item) => !item.includes(nul) && item.isWellFormed())).toBe(
            true,
          );
          const isStorable = !/\\u(0000|d[89a-f])/.test(JSON.stringify(value));
          expect(!isStorable || toStoredJson(value) === JSON.stringify(value)).toBe(true);
        },
      ),
    );
  });
});
