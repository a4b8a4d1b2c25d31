import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";

const words = fc.constantFrom(
  ..."title logsource detection condition correlation filter action product 1 of them and or not ( ) | & * ? \\".split(
    " ",
  ),
  ...": - { } [ ] , ' \" &a *a !! # x|contains x|re x|base64offset|windash <<".split(" "),
  ": ",
  "- ",
  "\n",
  "\n  ",
  "---\n",
  ">-\n",
  "\t",
  "\0",
  "\ud800",
);
const noise = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
);

test("no text makes the parser throw; what it refuses it reports", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(noise, (input) => {
      const { problems, report } = compile(input);
      for (const { line, column, message } of problems) {
        expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe("");
      }
      expect(report.loaded + report.refused).toBe(report.documents);
    }),
    { numRuns: 2000 },
  );
});

test("no condition makes the parser throw", { timeout: 60_000 }, () => {
  const part = fc.constantFrom(..."a b a_1 not and or ( ) 1 all any of them a* _* | AND 2 '".split(" "));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const detection = { a: { x: 1 }, b: { x: 2 }, a_1: { x: 3 }, condition: parts.join(" ") };
      const { report } = compile(JSON.stringify({ title: "t", logsource: { product: "x" }, detection }));
      expect(report.rules + report.refused).toBe(1);
    }),
    { numRuns: 2000 },
  );
});
