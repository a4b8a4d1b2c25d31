import { expect, test } from "vitest";

import type { Expression } from "../language/expression.ts";
import { field, keywords, like } from "./both.testing.ts";
import { explain } from "./explain.ts";

const named = (name: string, of: Expression): Expression => ({ kind: "named", name, of });

test("it tells which selection holds, which does not, and what stood there", () => {
  const detection: Expression = {
    kind: "and",
    of: [
      named("selection", {
        kind: "and",
        of: [field("Image", like("*\\cmd.exe"), like("*\\pwsh.exe")), field("User", like("root"))],
      }),
      { kind: "not", of: named("filter", { kind: "null", field: "Parent" }) },
    ],
  };
  expect(explain({ detection }, { Image: "C:\\CMD.EXE", User: ["ana", 7] })).toEqual({
    holds: false,
    selections: [
      {
        name: "selection",
        holds: false,
        items: [
          {
            field: "Image",
            asked: "is like *\\cmd.exe or is like *\\pwsh.exe",
            found: ["C:\\CMD.EXE"],
            present: true,
            holds: true,
          },
          { field: "User", asked: "is like root", found: ["ana", "7"], present: true, holds: false },
        ],
      },
      {
        name: "filter",
        holds: true,
        items: [{ field: "Parent", asked: "is absent or null", found: [], present: false, holds: true }],
      },
    ],
  });
});

test("what is negated inside a selection is shown with its own answer", () => {
  const detection = named("s", { kind: "not", of: field("f", like("a")) });
  const { selections } = explain({ detection }, { f: "b" });
  expect(selections[0]?.items).toEqual([
    { field: "f", asked: "not: is like a", found: ["b"], present: true, holds: true },
  ]);
});

test("keywords show the values that pass, and long texts are shortened", () => {
  const { holds, selections } = explain(
    { detection: keywords("foo") },
    { a: "x", b: [`foo${"y".repeat(500)}`] },
  );
  expect(holds).toBe(true);
  expect(selections[0]?.items[0]?.found).toEqual([`foo${"y".repeat(197)}…`]);
});

test("every kind of test has words, and a text is written as a rule writes it", () => {
  const detection = field(
    "f",
    like("a\\*b\\\\*c?"),
    { kind: "regex", source: "x+", flags: "i" },
    { kind: "cidr", bytes: [10, 0, 0, 0], prefix: 8 },
    { kind: "compare", operator: "gte", operand: 5 },
    { kind: "any", of: [{ kind: "time", part: "hour", operator: "eq", operand: 3 }] },
    { kind: "fieldref", field: "g", shape: "equals", cased: false },
  );
  expect(explain({ detection }, {}).selections[0]?.items[0]?.asked).toBe(
    "is like a\\*b\\\\*c? or has /x+/i or is an address of a network of 8 bits or gte 5 or (hour eq 3) (and 1 more)",
  );
});
