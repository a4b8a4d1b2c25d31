import { describe, expect, test } from "vitest";

import { parsed, patternsOf } from "../compiling.testing.ts";

const keywords = (...tests: readonly object[]) => ({ kind: "keywords", tests });
const text = (literal: string) => ({ kind: "pattern", pattern: ["many", { literal }, "many"], cased: false });

describe("keywords", () => {
  test.for([
    ["a list", "[a, b]", keywords(text("a"), text("b"))],
    ["a single value", "a", keywords(text("a"))],
    ["a number", "[4625]", keywords(text("4625"))],
    ["with contains", "{'|contains': [a, b]}", keywords(text("a"), text("b"))],
    ["with all", "{'|all': [a, b]}", { kind: "and", of: [keywords(text("a")), keywords(text("b"))] }],
    ["with all of one", "{'|all': [a]}", keywords(text("a"))],
    ["with contains and all", "{'|contains|all': [a, b]}", { kind: "and", of: { length: 2 } }],
    ["with re", "{'|re': 'a+'}", keywords({ kind: "regex", source: "a+", flags: "" })],
    [
      "with re, i and all",
      "{'|re|i|all': [a, b]}",
      { kind: "and", of: [keywords({ flags: "i" }), { kind: "keywords" }] },
    ],
    ["with cased", "{'|cased': A}", keywords({ ...text("A"), cased: true })],
    ["with neq", "{'|neq': a}", { kind: "not", of: keywords(text("a")) }],
    ["without a name and a modifier", "{'': a}", keywords(text("a"))],
    ["nested lists", "[[a], [b]]", { kind: "or", of: [keywords(text("a")), keywords(text("b"))] }],
    [
      "a mixed list",
      "[{f: x}, a, b]",
      { kind: "or", of: [{ kind: "field" }, keywords(text("a"), text("b"))] },
    ],
    [
      "maps within lists within lists",
      "[[{f: x}, [{g: y}]]]",
      { kind: "or", of: [{ field: "f" }, { field: "g" }] },
    ],
    ["beside fields", "{f: x, '|all': [a]}", { kind: "and", of: [{ kind: "field" }, { kind: "keywords" }] }],
  ] as const)("%s", ([, selection, expected]) => {
    expect(parsed(selection)).toMatchObject(expected);
  });

  test("are looked for anywhere, also what windash and base64 make of them", () => {
    expect(patternsOf("{'|base64': foo}")).toEqual(["*Zm9v*"]);
    expect(patternsOf("{'|windash': -x}")[1]).toBe("*/x*");
    expect(patternsOf("{'|startswith': x}")).toEqual(["x*"]);
  });
});
