import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import type { EventLogsource } from "./logsource.ts";

const rule = (logsource: string) =>
  `title: t\nlogsource: ${logsource}\ndetection: {s: {a: 1}, condition: s}\n`;

describe("the log source of a rule", () => {
  test.for([
    ["one attribute", "{category: authentication}", { category: "authentication" }],
    ["all three", "{product: x, category: y, service: z}", { product: "x", category: "y", service: "z" }],
    ["in lower case", "{product: AWS, service: CloudTrail}", { product: "aws", service: "cloudtrail" }],
    ["with dots and dashes", "{service: microsoft365-portal.v2}", { service: "microsoft365-portal.v2" }],
    ["without its definition", "{product: x, definition: 'Turn it on'}", { product: "x" }],
    ["with custom attributes", "{product: x, Vendor: ACME}", { product: "x", Vendor: "acme" }],
    ["without attributes that are null", "{product: x, service: null}", { product: "x" }],
  ] as const)("%s", ([, logsource, expected]) => {
    const { ruleSet, problems } = compile(rule(logsource));
    expect(problems).toEqual([]);
    expect(ruleSet.rules[0]?.logsource).toEqual(expected);
  });

  test.for([
    ["a text", "windows", 12],
    ["a list", "[windows]", 12],
    ["nothing", "{}", 12],
    ["a definition only", "{definition: x}", 12],
    ["custom attributes only", "{vendor: x}", 12],
    ["an attribute that is a list", "{product: [x]}", 22],
    ["an empty attribute", "{product: ''}", 22],
    ["a custom attribute that is a map", "{product: x, vendor: {a: 1}}", 33],
  ] as const)("that is %s is refused", ([, logsource, column]) => {
    expect(compile(rule(logsource)).problems).toMatchObject([
      { code: "RULE_LOGSOURCE_INVALID", severity: "error", line: 2, column },
    ]);
  });
});

describe("a rule applies where the event asserts all it states", () => {
  const events: readonly (readonly [string, EventLogsource, boolean])[] = [
    ["the same", { product: "x", vendor: "acme" }, true],
    ["more", { product: "x", vendor: "acme", service: "s" }, true],
    ["in another case", { product: "X", vendor: "Acme" }, true],
    ["without the custom attribute", { product: "x" }, false],
    ["with another custom attribute", { product: "x", vendor: "other" }, false],
    ["without a log source", {}, false],
  ];
  test.for(events)("%s", ([, logsource, applies]) => {
    const { ruleSet } = compile(rule("{product: x, vendor: acme}"));
    expect(ruleSet.match({ a: 1 }, logsource)).toHaveLength(applies ? 1 : 0);
  });

  test("any of several categories will do", () => {
    const { ruleSet } = compile(rule("{category: authentication}"));
    const applies = (category: string | readonly string[]) => ruleSet.match({ a: 1 }, { category }).length;
    expect(applies(["network", "authentication"])).toBe(1);
    expect(applies(["network"])).toBe(0);
    expect(applies([])).toBe(0);
  });
});
