import { describe, expect, test } from "vitest";

import { compile, rule } from "../compiling.testing.ts";
import { type MapNode, parseDocuments } from "../language/document.ts";
import { limits } from "../language/limits.ts";
import { RuleError } from "../language/problem.ts";
import { createRegexBudget } from "./regex-budget.ts";

function read(text: string): MapNode {
  const [node] = parseDocuments(text);
  if (!node || node instanceof RuleError || node.kind !== "map") throw new Error("no map");
  return node;
}

const list = (count: number) => `[${Array.from({ length: count }, () => "x").join(", ")}]`;
const detection = (count: number) =>
  read(`detection: {s: [[{'a|re|i': ${list(count)}}], {'|re': x, b: ${list(50)}}]}`);

describe("the regular expressions of a file", { timeout: 60_000 }, () => {
  const half = limits.regexesPerFile / 2 - 1;

  test("are counted over its documents, whatever they stand in", () => {
    const spend = createRegexBudget();
    spend(detection(half));
    spend(detection(half));
    expect(() => spend(read("detection: {s: {'a|re': x}}"))).toThrow("More than 10000 regular expressions");
    expect(() => spend(read("detection: {s: {'a|contains': x}}"))).not.toThrow();
  });

  test("of another file are its own", () => {
    createRegexBudget()(detection(half));
    expect(() => createRegexBudget()(detection(half))).not.toThrow();
  });

  test("that are too many are refused before they are compiled, and the rest of the file loads", () => {
    const many = rule(`  s: {'a|re': ${list(limits.regexesPerFile + 1)}}\n  condition: s`);
    const { ruleSet, problems } = compile(
      `${many}---\n${rule("  s: {'a|re': x}\n  condition: s", "id: few\n")}`,
    );
    expect(problems).toMatchObject([{ code: "RULE_LIMIT_EXCEEDED", line: 1, column: 1 }]);
    expect(ruleSet.rules.map(({ id }) => id)).toEqual(["few"]);
  });
});
