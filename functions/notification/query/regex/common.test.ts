import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";

import { foldCase } from "../pattern.ts";
import { toCommonRegex } from "./common.ts";
import { RegexProblem } from "./cursor.ts";
import { expressions, texts } from "./expressions.testing.ts";

const search = { whole: false, isFolded: true };

describe("a regular expression", () => {
  test("finds in ASCII text what RE2 finds without regard to case", () => {
    let read = 0;
    fc.assert(
      fc.property(
        expressions,
        fc.array(texts, { minLength: 3, maxLength: 6 }),
        fc.boolean(),
        (source, some, isFolded) => {
          const common = read1(source, isFolded);
          if (!common) return;
          read += 1;
          // RE2 wants names to be told apart, which mean nothing here.
          const reference = RE2JS.compile(
            source.replaceAll("(?P<n>", "("),
            isFolded ? RE2JS.CASE_INSENSITIVE : 0,
          );
          const ours = RE2JS.compile(common.re2);
          for (const text of some) {
            const told = ours.test(isFolded ? foldCase(text) : text);
            expect([source, text, told]).toEqual([source, text, reference.test(text)]);
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(read).toBeGreaterThan(750);
  }, 60_000);

  test("any text is read or refused with a place in it, and what is read compiles", () => {
    const parts = fc.constantFrom(
      ...Array.from("()[]{}|?*+.^$\\-:,aZ09é"),
      "😀",
      "(?i)",
      "{2,3}",
      "[^",
      "[[:alpha:]]",
      "\\x{41}",
      "\\Q",
      "(?<n>",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (all) => {
        const source = all.join("");
        try {
          RE2JS.compile(toCommonRegex(source, search).re2);
        } catch (error) {
          if (!(error instanceof RegexProblem)) throw new Error(`${source}: another error`, { cause: error });
          expect(error.position).toBeGreaterThanOrEqual(0);
          expect(error.length).toBeGreaterThanOrEqual(0);
          expect(error.position + error.length).toBeLessThanOrEqual(source.length);
          expect(error.expected).not.toBe("");
        }
      }),
      { numRuns: 3000 },
    );
  }, 60_000);

  test.for([
    ["(?=a)", 0],
    ["a(?!b)", 1],
    ["(?<=a)b", 0],
    ["(a)\\1", 3],
    ["a++", 2],
    ["a*+", 2],
    ["*a", 0],
    ["a|*", 2],
    ["(?i:a)", 0],
    ["a(?i)", 1],
    ["(?m)a", 0],
    ["\\ba", 0],
    ["\\pL", 0],
    ["\\Qa\\E", 0],
    ["\\Z", 0],
    ["\\", 0],
    ["a{,3}", 1],
    ["a{", 1],
    ["a{3,2}", 1],
    ["a{256}", 1],
    ["(^a)*", 0],
    ["($)?", 0],
    ["[z-a]", 1],
    ["[\\d-z]", 1],
    ["[a", 0],
    ["[[:none:]]", 1],
    ["[^\\x{1}-\\x{10ffff}]", 0],
    ["\\x{110000}", 0],
    ["\\x{d800}", 0],
    ["a)", 1],
    ["(a", 0],
    ["(".repeat(20) + ")".repeat(20), 20],
    ["((a{30}){30}){30}", 0],
    ["(?:a{1,255}){1,255}", 0],
  ] as const)("%s is refused at %i", ([source, position]) => {
    const problem = problemOf(source);
    expect([source, problem?.position]).toEqual([source, position]);
  });
});

function read1(source: string, isFolded: boolean): ReturnType<typeof toCommonRegex> | undefined {
  try {
    return toCommonRegex(source, { whole: false, isFolded });
  } catch (error) {
    if (error instanceof RegexProblem) return undefined;
    throw error;
  }
}

function problemOf(source: string): RegexProblem | undefined {
  try {
    toCommonRegex(source, search);
    return undefined;
  } catch (error) {
    if (error instanceof RegexProblem) return error;
    throw error;
  }
}
