import * as fc from "fast-check";
import { expect, test } from "vitest";

import { fits, foldCase } from "./pattern.ts";
import { suggest } from "./suggest.ts";

test("a pattern fits what the same regular expression fits", () => {
  const short = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(short, { minLength: 1, maxLength: 4 }),
      fc.array(short, { maxLength: 4 }),
      (pattern, texts) => {
        const text = texts.join("");
        const regex = new RegExp(`^${pattern.map((part) => part.replaceAll(".", "[.]")).join(".*")}$`);
        expect([pattern, text, fits(pattern, text)]).toEqual([pattern, text, regex.test(text)]);
      },
    ),
    { numRuns: 1000 },
  );
});

test("only ASCII's capitals are made small", () => {
  const codes = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("");
  const changed = Array.from(codes)
    .filter((char) => foldCase(char) !== char)
    .join("");
  expect(changed).toBe("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
});

test.for([
  ["sevrity", "severity"],
  ["hots", "host"],
  ["actro", "actor"],
  ["rul", "rule"],
  ["banana", undefined],
  ["x".repeat(100), undefined],
] as const)("%s: %s was meant", ([word, meant]) => {
  expect(suggest(word, ["severity", "host", "actor", "rule"])).toBe(meant);
});
