import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";

const source = (logsource: string) =>
  compile(`title: t\nlogsource: ${logsource}\ndetection: {s: {x: 1}, condition: s}`).ruleSet;

describe("log sources", () => {
  test.for([
    ["{product: linux}", { product: "linux" }, true],
    ["{product: linux}", { product: "linux", service: "sshd" }, true],
    ["{product: linux, service: sshd}", { product: "linux" }, false],
    ["{product: linux}", { product: "windows" }, false],
    ["{product: linux}", {}, false],
    ["{category: authentication}", { product: "okta", category: "authentication", service: "x" }, true],
    ["{product: Linux}", { product: "LINUX" }, true],
    ["{product: linux, definition: 'turn auditing on'}", { product: "linux" }, true],
  ] as const)("a rule for %s on an event of %o: %s", ([stated, asserted, expected]) => {
    expect(source(stated).match({ x: 1 }, asserted)).toHaveLength(expected ? 1 : 0);
  });

  test("a rule that only negates matches nothing from a foreign source", () => {
    const { ruleSet } = compile(
      "title: t\nlogsource: {service: rdp}\ndetection: {s: {x: 1}, condition: not s}",
    );
    expect(ruleSet.match({ y: 1 }, { service: "rdp" })).toHaveLength(1);
    expect(ruleSet.match({ y: 1 }, { service: "dns" })).toHaveLength(0);
    expect(ruleSet.match({ y: 1 }, {})).toHaveLength(0);
  });
});
