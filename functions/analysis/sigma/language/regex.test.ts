import { describe, expect, test } from "vitest";

import { regexOf } from "../matching/regex.ts";
import type { Shape } from "./expression.ts";
import { parseRegex } from "./regex.ts";

const at = { line: 1, column: 1 };
const parse = (text: string, shape: Shape = "equals") => parseRegex(text, { flags: [], shape, at });

describe("a regular expression", () => {
  test.for([
    ["lookahead", "a(?=b)", "(?="],
    ["negative lookahead", "a(?!b)", "(?!"],
    ["lookbehind", "(?<=a)b", "(?<="],
    ["negative lookbehind", "(?<!a)b", "(?<!"],
    ["an atomic group", "(?>a+)b", "(?>"],
    ["a backreference", String.raw`(a)\1`, String.raw`\1`],
    ["a named backreference", String.raw`(?P<x>a)\k<x>`, String.raw`\k<`],
  ] as const)("with %s is refused by name", ([, source, construct]) => {
    expect(() => parse(source)).toThrow(`'${construct}' takes more than linear time`);
  });

  test.for(["(", "a**", "[z-a]", "a{2,1}", String.raw`\p{Nonsense}`, "(?Q)a", "a++", "(?P<n>a)(?P<n>b)"])(
    "that cannot be compiled is refused: %s",
    (source) => {
      expect(() => parse(source)).toThrow("The regular expression cannot be used");
    },
  );

  test.for([
    String.raw`\\1`,
    String.raw`[(?=]`,
    String.raw`[\]\1]`.replace(String.raw`\1`, "1"),
    String.raw`\(\?=`,
    "(?:a)(?P<name>b)",
    "(?i:a)b",
    "a(?i)b",
    String.raw`\bpowershell(?:\.exe)?\b`,
    "[[:alpha:]]+",
    "[^]x]",
    "",
  ])("that only looks like one is taken: %s", (source) => {
    expect(parse(source)).toMatchObject({ kind: "regex", source });
  });

  test("is held to the whole text by startswith and endswith, also where m lets ^ and $ match at lines", () => {
    const finds = (source: string, shape: Shape, text: string) => {
      const parsed = parseRegex(source, { flags: ["m"], shape, at });
      return regexOf(parsed).test(text);
    };
    expect(finds("a|b", "startswith", "bx")).toBe(true);
    expect(finds("a|b", "startswith", "x\nbx")).toBe(false);
    expect(finds("a|b", "endswith", "xb")).toBe(true);
    expect(finds("a|b", "endswith", "xb\nx")).toBe(false);
    expect(finds("^b$", "contains", "x\nb\nx")).toBe(true);
  });
});
