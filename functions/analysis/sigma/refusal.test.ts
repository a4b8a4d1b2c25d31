import { describe, expect, test } from "vitest";

import { compile, rule } from "./compiling.testing.ts";

/** A rule that loads. */
const good = (id: string) => rule("  s: {a: 1}\n  condition: s", `id: ${id}\n`);

/** Each name is nine times the one before it. */
const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
for (const [before, name] of ["ab", "bc", "cd", "de", "ef", "fg", "gh"].map((pair) => pair.split(""))) {
  bomb.push(`${name}: &${name} [${`*${before}, `.repeat(9)}]`);
}

describe("what is not understood is refused with its place", () => {
  test.for([
    ["an unknown modifier", "  s: {'a|contians': x}\n  condition: s", "RULE_MODIFIER_UNKNOWN", 4, 7],
    ["a regular expression that is none", "  s: {'a|re': '('}\n  condition: s", "RULE_REGEX_INVALID", 4, 15],
    ["a network that is none", "  s:\n    a|cidr: 10.0.0.1/8\n  condition: s", "RULE_VALUE_INVALID", 5, 13],
    ["a placeholder", "  s:\n    a|expand: '%x%'\n  condition: s", "RULE_PLACEHOLDER_UNKNOWN", 5, 15],
    [
      "modifiers that exclude each other",
      "  s: {'a|contains|endswith': x}\n  condition: s",
      "RULE_MODIFIER_INVALID",
      4,
      7,
    ],
    [
      "exists with another",
      "  s: {'a|exists|contains': true}\n  condition: s",
      "RULE_MODIFIER_INVALID",
      4,
      7,
    ],
    ["exists without a truth value", "  s: {'a|exists': 'x'}\n  condition: s", "RULE_VALUE_INVALID", 4, 7],
    ["gt without a number", "  s: {'a|gt': x}\n  condition: s", "RULE_VALUE_INVALID", 4, 15],
    ["null in a list", "  s: {a: [x, null]}\n  condition: s", "RULE_VALUE_INVALID", 4, 14],
    ["contains null", "  s: {'a|contains': null}\n  condition: s", "RULE_VALUE_INVALID", 4, 7],
    ["a map as a value", "  s: {a: {b: 1}}\n  condition: s", "RULE_VALUE_INVALID", 4, 10],
    ["an empty selection", "  s: {}\n  condition: s", "RULE_DETECTION_INVALID", 4, 6],
    ["an empty list", "  s: []\n  condition: s", "RULE_DETECTION_INVALID", 4, 6],
    ["no identifier", "  condition: s", "RULE_DETECTION_INVALID", 4, 3],
    ["no condition", "  s: {a: 1}", "RULE_ATTRIBUTE_MISSING", 4, 3],
    ["an empty condition", "  s: {a: 1}\n  condition: ''", "RULE_CONDITION_INVALID", 5, 14],
    ["an unknown identifier", "  s: {a: 1}\n  condition: s and t", "RULE_IDENTIFIER_UNKNOWN", 5, 20],
    [
      "an unknown identifier in quotes",
      "  s: {a: 1}\n  condition: 's and t'",
      "RULE_IDENTIFIER_UNKNOWN",
      5,
      21,
    ],
    [
      "a prototype name as identifier",
      "  s: {a: 1}\n  condition: constructor",
      "RULE_IDENTIFIER_UNKNOWN",
      5,
      14,
    ],
    ["a selector that matches nothing", "  s: {a: 1}\n  condition: all of x*", "RULE_SELECTOR_EMPTY", 5, 21],
    [
      "them without visible identifiers",
      "  _s: {a: 1}\n  condition: all of them",
      "RULE_SELECTOR_EMPTY",
      5,
      21,
    ],
    ["a pipe", "  s: {a: 1}\n  condition: s | count() > 5", "RULE_CONDITION_UNSUPPORTED", 5, 16],
    ["2 of", "  s: {a: 1}\n  condition: 2 of them", "RULE_CONDITION_UNSUPPORTED", 5, 14],
    ["AND", "  s: {a: 1}\n  condition: s AND s", "RULE_CONDITION_INVALID", 5, 16],
    ["NOT", "  s: {a: 1}\n  condition: NOT s", "RULE_CONDITION_INVALID", 5, 18],
    ["a condition cut short", "  s: {a: 1}\n  condition: s and", "RULE_CONDITION_INVALID", 5, 14],
    ["an unclosed parenthesis", "  s: {a: 1}\n  condition: (s", "RULE_CONDITION_INVALID", 5, 14],
    ["a stray parenthesis", "  s: {a: 1}\n  condition: s)", "RULE_CONDITION_INVALID", 5, 15],
    ["timeframe", "  s: {a: 1}\n  timeframe: 5m\n  condition: s", "RULE_CONDITION_UNSUPPORTED", 5, 3],
    ["a duplicate key", "  s: {a: 1, a: 2}\n  condition: s", "RULE_YAML_INVALID", 4, 13],
    ["a merge key", "  s: &s {a: 1}\n  t: {<<: *s}\n  condition: t", "RULE_YAML_INVALID", 5, 7],
  ] as const)("%s", ([, detection, code, line, column]) => {
    const { ruleSet, problems } = compile(rule(detection));
    expect(problems).toMatchObject([{ code, severity: "error", file: "1.yml", line, column }]);
    expect(ruleSet.rules).toEqual([]);
  });

  test.for([
    ["no title", "logsource: {product: x}\ndetection: {s: {a: 1}, condition: s}", "RULE_ATTRIBUTE_MISSING"],
    ["no log source", "title: t\ndetection: {s: {a: 1}, condition: s}", "RULE_ATTRIBUTE_MISSING"],
    [
      "an empty log source",
      "title: t\nlogsource: {}\ndetection: {s: {a: 1}, condition: s}",
      "RULE_LOGSOURCE_INVALID",
    ],
    [
      "a log source of custom attributes only",
      "title: t\nlogsource: {tenant: y}\ndetection: {s: {a: 1}, condition: s}",
      "RULE_LOGSOURCE_INVALID",
    ],
    [
      "a log source attribute that is a list",
      "title: t\nlogsource: {category: [a, b]}\ndetection: {s: {a: 1}, condition: s}",
      "RULE_LOGSOURCE_INVALID",
    ],
    [
      "an unknown level",
      "title: t\nlevel: urgent\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}",
      "RULE_ATTRIBUTE_INVALID",
    ],
    [
      "two kinds at once",
      "title: t\nlogsource: {product: x}\nfilter: {rules: any, s: {a: 1}, condition: s}\ndetection: {s: {a: 1}, condition: s}",
      "RULE_DOCUMENT_INVALID",
    ],
    ["an unknown action", "title: t\naction: globl\nlogsource: {product: x}", "RULE_DOCUMENT_INVALID"],
    ["neither kind", "title: t", "RULE_DOCUMENT_INVALID"],
    ["a text", "just text", "RULE_DOCUMENT_INVALID"],
    ["a list", "- a\n- b", "RULE_DOCUMENT_INVALID"],
    ["an open quote", "title: 'open", "RULE_YAML_INVALID"],
    ["an alias bomb", bomb.join("\n"), "RULE_YAML_INVALID"],
    ["an alias of itself", "title: &t [*t]", "RULE_YAML_INVALID"],
    ["deep nesting", `title: ${"[".repeat(200)}${"]".repeat(200)}`, "RULE_YAML_INVALID"],
    ["very deep nesting", `title: ${"[".repeat(20_000)}`, "RULE_YAML_INVALID"],
    [
      "many parentheses",
      rule(`  s: {a: 1}\n  condition: ${"(".repeat(5000)}s${")".repeat(5000)}`),
      "RULE_CONDITION_INVALID",
    ],
  ] as const)("%s", ([, text, code]) => {
    const { ruleSet, problems } = compile(text);
    expect(problems).toMatchObject([{ code, severity: "error", file: "1.yml" }]);
    expect(ruleSet.rules).toEqual([]);
  });

  test("one bad document leaves the others alone, in its file and elsewhere", () => {
    const { ruleSet, problems } = compile(
      `${good("first")}---\ntitle: broken\ndetection: [\n---\n${good("second")}`,
      `${good("third")}---\ntitle: no detection\n---\n${good("fourth")}`,
    );
    expect(ruleSet.rules.map(({ id }) => id)).toEqual(["first", "second", "third", "fourth"]);
    expect(problems.map(({ code, file, line }) => [code, file, line])).toEqual([
      ["RULE_YAML_INVALID", "1.yml", expect.any(Number)],
      ["RULE_DOCUMENT_INVALID", "2.yml", 8],
    ]);
  });

  test("of two rules with one id, or one name, the first stays and the second is reported", () => {
    const detection = "  s: {a: 1}\n  condition: s";
    const { ruleSet, problems } = compile(
      rule(detection, "id: one\nname: alpha\n"),
      rule(detection, "id: one\n"),
      rule(detection, "id: two\nname: alpha\n"),
    );
    expect(ruleSet.rules.map(({ file }) => file)).toEqual(["1.yml"]);
    expect(problems.map(({ code, file }) => [code, file])).toEqual([
      ["RULE_ID_DUPLICATE", "2.yml"],
      ["RULE_NAME_DUPLICATE", "3.yml"],
    ]);
  });

  test("an identifier the condition does not use is a warning, and the rule loads", () => {
    const { ruleSet, problems } = compile(rule("  s: {a: 1}\n  spare: {b: 1}\n  condition: s"));
    expect(problems).toMatchObject([
      { code: "RULE_IDENTIFIER_UNUSED", severity: "warning", line: 5, column: 3 },
    ]);
    expect(ruleSet.rules).toHaveLength(1);
  });
});
