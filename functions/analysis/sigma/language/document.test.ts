import { describe, expect, test } from "vitest";

import { parseDocuments, toPlain } from "./document.ts";
import { limits } from "./limits.ts";
import { RuleError } from "./problem.ts";

const read = (text: string) =>
  parseDocuments(text).map((node) =>
    node instanceof RuleError ? `${node.at.line}:${node.at.column} ${node.code}` : toPlain(node),
  );
const broken = expect.stringMatching(/^\d+:\d+ RULE_YAML_INVALID$/);

describe("a stream of documents", () => {
  test.for([
    ["two documents", "a: 1\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    ["a marker at the beginning", "---\na: 1\n", [{ a: 1 }]],
    ["comments before the first document", "# words\n\n---\na: 1\n", [{ a: 1 }]],
    ["a directive", "%YAML 1.2\n---\na: 1\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    ["an end marker", "a: 1\n...\n---\nb: 2\n...\n", [{ a: 1 }, { b: 2 }]],
    ["empty documents", "---\n---\n# words\n---\na: 1\n---\n", [{ a: 1 }]],
    ["lines that end as on Windows", "a: 1\r\n---\r\nb: 2\r\n", [{ a: 1 }, { b: 2 }]],
    ["a byte order mark", "\uFEFFa: 1\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    ["a document beside its marker", "--- {a: 1}\n--- [b]\n", [{ a: 1 }, ["b"]]],
    ["dashes that are no marker", "a: x\n----\n", [broken]],
    ["dashes within a block text", "a: |\n  ---\n  x\nb: 1\n", [{ a: "---\nx\n", b: 1 }]],
    ["nothing", "", []],
  ] as const)("%s", ([, text, expected]) => {
    expect(read(text)).toEqual(expected);
  });

  test.for([
    ["a bracket", "a: [1\n"],
    ["a quote", 'a: "x\n'],
    ["a brace", "a: {b: 1\n"],
    ["a tag that is not known", "a: !unknown x\nb: [\n"],
  ] as const)("%s that is left open takes no other document with it", ([, text]) => {
    expect(read(`first: 1\n---\n${text}---\nlast: 1\n`)).toEqual([{ first: 1 }, broken, { last: 1 }]);
  });

  test("places are those of the whole file", () => {
    expect(read("a: 1\n---\nb: 2\nb: 3\n")).toEqual([{ a: 1 }, "4:1 RULE_YAML_INVALID"]);
    expect(parseDocuments("# words\n---\n\n---\nb:\n  c: 2\n")[0]).toMatchObject({
      at: { line: 5, column: 1 },
      entries: [{ keyAt: { line: 5, column: 1 }, value: { at: { line: 6, column: 3 } } }],
    });
  });
});

describe("values", () => {
  test.for([
    ["a date", "2026-11-21", "2026-11-21"],
    ["a moment", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"],
    ["yes", "yes", "yes"],
    ["on", "on", "on"],
    ["true", "true", true],
    ["null", "null", null],
    ["a tilde", "~", null],
    ["nothing", "", null],
    ["hexadecimal", "0x1F", 31],
    ["an integer that no double holds", "12345678901234567890", "12345678901234567890"],
    ["a sexagesimal number of old", "12:30", "12:30"],
    ["a number with underscores", "1_000", "1_000"],
  ] as const)("%s", ([, text, value]) => {
    expect(read(`a: ${text}`)).toEqual([{ a: value }]);
  });

  test("a number that JSON writes differently keeps how it is written", () => {
    const written = (text: string) => parseDocuments(text)[0];
    expect(written("1.10")).toMatchObject({ value: 1.1, written: "1.10" });
    expect(written("0x1F")).toMatchObject({ value: 31n, written: "0x1F" });
    expect(written("4625")).toEqual(expect.not.objectContaining({ written: expect.anything() }));
  });
});

describe("aliases", { timeout: 60_000 }, () => {
  test.for([
    ["stand for their anchor", "a: &x [1]\nb: *x\n", { a: [1], b: [1] }],
    ["stand for the last anchor before them", "a: &x 1\nb: *x\nc: &x 2\nd: *x\n", { a: 1, b: 1, c: 2, d: 2 }],
    [
      "within an alias mean what they meant where they stand",
      "a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\n",
      { a: 1, b: [1], c: 2, d: [1] },
    ],
  ] as const)("%s", ([, text, expected]) => {
    expect(read(text)).toEqual([expected]);
  });

  test.for([
    ["unknown", "a: *x"],
    ["of itself", "a: &x [*x]"],
    ["before its anchor", "a: *x\nb: &x 1"],
  ] as const)("one that is %s is refused", ([, text]) => {
    expect(read(text)).toEqual([broken]);
  });

  test("many of them are found in one walk", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `- &a${index} x\n- *a${index}\n`);
    expect(read(names.join(""))[0]).toHaveLength(40_000);
  });
});

describe("limits", { timeout: 60_000 }, () => {
  test("a file", () => {
    expect(read(`a: 1\n${"#".repeat(limits.fileCharacters)}`)).toEqual(["1:1 RULE_YAML_INVALID"]);
  });

  test("the documents of a file", () => {
    const documents = (count: number) => Array.from({ length: count }, () => "--- 1\n").join("");
    expect(read(documents(limits.documentsPerFile))).toHaveLength(limits.documentsPerFile);
    expect(read(documents(limits.documentsPerFile + 1))).toEqual(["1:1 RULE_YAML_INVALID"]);
  });

  test("the depth of a document", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    expect(read(nested(limits.nesting))).not.toEqual([broken]);
    expect(read(nested(limits.nesting + 2))).toEqual([broken]);
    expect(read(`a: 1\n---\n${"[".repeat(100_000)}\n---\nb: 2\n`)).toEqual([{ a: 1 }, broken, { b: 2 }]);
  });

  test("the values of a document, also those that aliases stand for", () => {
    const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i += 1) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);
    expect(read(bomb.join("\n"))).toEqual([broken]);
  });

  test("many keys are compared with each other only once", () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1\n`);
    expect(Object.keys(read(keys.join(""))[0] as object)).toHaveLength(50_000);
  });
});
