import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";

import { compileRegex } from "./regex.ts";
import { gate } from "./scanner.ts";

describe("what is refused says why", () => {
  test.for([
    ["(a)\\1", "backreferences"],
    ["(?=a)b", "lookaround"],
    ["(?!a)b", "lookaround"],
    ["(?<=a)b", "lookaround"],
    ["(?<!a)b", "lookaround"],
    ["(?>a)", "(?>"],
    ["a++", "++"],
    ["(a", "missing"],
    ["[b-a]", "range"],
    ["a{1001}", "repeat"],
    ["((a{100}){100}){100}", "repeat"],
    [Array.from("abcdefghijklmnopqrstuvwxy", (letter) => `[${letter}-z]{1000}`).join("|"), "large"],
    ["a".repeat(20_000), "longer"],
  ] as const)("%s", ([source, reason]) => {
    expect(() => compileRegex(source, "")).toThrow(reason);
  });
});

describe("what is found", () => {
  test.for([
    ["b", "", "abc", true],
    ["B", "", "abc", false],
    ["B", "i", "abc", true],
    ["(?i)B", "", "abc", true],
    ["^b", "", "a\nb", false],
    ["^b", "m", "a\nb", true],
    ["(?ims)A.B$", "", "xa\nb\nc", true],
    ["a.b", "", "a\nb", false],
    ["a.b", "", "a\rb", true],
    ["a.b", "s", "a\nb", true],
    ["a$", "", "a\n", false],
    ["a$", "m", "a\nb", true],
    ["a$", "m", "a\rb", false],
    ["\\s", "", "\v", false],
    ["^.$", "", "😀", true],
    ["k", "i", "\u212a", true],
    ["(?:a|b(?i)c)D", "", "bCD", true],
    ["x{2,3}y", "", "xxy", true],
    ["[^\\d\\s]-[a-c\\-]", "", "x--", true],
    ["\\x41\\x{42}", "", "AB", true],
    ["\\pL", "", "é", true],
    ["[[:alpha:]]+1", "", "abc1", true],
  ] as const)("/%s/%s in %j: %s", ([source, flags, text, expected]) => {
    expect(compileRegex(source, flags).test(text)).toBe(expected);
  });
});

describe("patterns that make backtracking engines run for ever", () => {
  const evil = [
    "(a+)+$",
    "(a|a)*$",
    "(a|aa)+$",
    "(.*a){20}",
    "(a*)*$",
    "((a?){30}){30}$",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
  ];
  const polynomial = ["a*a*a*a*a*b", ".*.*.*=.*", "\\s+$", "a.*a.*a.*b"];
  test.for(evil)("%s is never left to one", (source) => {
    expect(compileRegex(source, "").nativeUpTo).toBe(0);
  });
  test.for(polynomial)("%s only for texts so short that it cannot matter", (source) => {
    expect(compileRegex(source, "").nativeUpTo).toBeLessThan(1024);
  });
  // Exponential or cubic, none of these would end in a test's life.
  test.for([...evil, ...polynomial])("%s ends on 20,000 characters", { timeout: 60_000 }, (source) => {
    const { test: find } = compileRegex(source, "");
    for (const unit of ["a", "x", " ", "="]) expect(typeof find(`${unit.repeat(20_000)}!`)).toBe("boolean");
  });
  test("harmless ones keep the fast engine", () => {
    for (const source of [
      "cmd\\.exe",
      "^[a-z0-9]{16}$",
      "\\\\[a-z]{2,8}\\.exe",
      "-e(nc|c) [A-Za-z0-9+/=]{5,}",
    ]) {
      expect(compileRegex(source, "").nativeUpTo).toBeGreaterThanOrEqual(256);
    }
  });
});

const atom = fc.constantFrom(
  ..."a b k s S 1 . \\. \\d \\D \\w \\W \\s \\S [ab] [^a] [a-c1] [^\\d] \\b \\B ^ $ (?i) (?s) (?m) (?-i) \\n \\x61 é - ] }".split(
    " ",
  ),
);
const quantifier = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?");
const source = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc
    .array(
      fc
        .tuple(
          fc.oneof(
            { maxDepth: 2 },
            { weight: 5, arbitrary: atom },
            { weight: 1, arbitrary: tie("whole").map((inner) => `(${inner})`) },
            { weight: 1, arbitrary: fc.tuple(tie("whole"), tie("whole")).map(([a, b]) => `(?:${a}|${b})`) },
          ),
          quantifier,
        )
        .map((parts) => parts.join("")),
      { maxLength: 5 },
    )
    .map((parts) => parts.join("")),
})).whole;
const text = fc.string({
  unit: fc.constantFrom(..."aabbkKsS1 .-\n\r\v\u00a0é\u212aſ".split("")),
  maxLength: 12,
});
const flags = fc.constantFrom("", "i", "m", "s", "ims");

test("both engines find what RE2 finds, and required literals are required", { timeout: 60_000 }, () => {
  let native = 0;
  let found = 0;
  fc.assert(
    fc.property(source, flags, fc.array(text, { minLength: 3, maxLength: 8 }), (pattern, mode, texts) => {
      const reference = attempt(() => RE2JS.compile(mode === "" ? pattern : `(?${mode})(?:${pattern})`));
      const compiled = attempt(() => compileRegex(pattern, mode));
      if (!reference || !compiled) return;
      if (compiled.nativeUpTo > 0) native += 1;
      for (const one of texts) {
        const expected = reference.test(one);
        expect(compiled.test(one)).toBe(expected);
        if (!expected) continue;
        found += 1;
        const { literals } = compiled;
        if (literals.length > 0)
          expect(literals.some((literal) => gate(one).includes(gate(literal)))).toBe(true);
      }
    }),
    { numRuns: 4000 },
  );
  expect(native).toBeGreaterThan(1000);
  expect(found).toBeGreaterThan(2000);
});

function attempt<Result>(step: () => Result): Result | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
