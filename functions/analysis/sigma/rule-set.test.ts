import { describe, expect, test } from "vitest";

import { compile, rule } from "./compiling.testing.ts";

describe("what a rule says about itself", () => {
  test("is kept, with unknown keys as custom data", () => {
    const { ruleSet } = compile(`title: T
id: 5f1b4d1c-0000-4000-8000-000000000001
name: tee
status: test
level: high
author: Ana
description: D
tags: [attack.t1110, attack.credential_access]
references: [https://example.org]
falsepositives: [none known]
fields: [user_id]
date: 2026-11-21
auditflow: {rule_id: ANLY-SEC-001, count: 3, big: 12345678901234567890}
logsource: {product: x}
detection: {s: {a: 1}, condition: s}
`);
    expect(ruleSet.rules[0]).toMatchObject({
      id: "5f1b4d1c-0000-4000-8000-000000000001",
      name: "tee",
      title: "T",
      status: "test",
      level: "high",
      author: "Ana",
      description: "D",
      tags: ["attack.t1110", "attack.credential_access"],
      falsepositives: ["none known"],
      fields: ["user_id"],
      file: "1.yml",
      line: 1,
      silent: false,
      custom: { auditflow: { rule_id: "ANLY-SEC-001", count: 3, big: "12345678901234567890" } },
    });
  });

  test("without id and level, name or title and medium stand in", () => {
    const { ruleSet } = compile(
      rule("  s: {a: 1}\n  condition: s"),
      rule("  s: {a: 1}\n  condition: s", "name: n\n"),
    );
    expect(ruleSet.rules.map(({ id, level }) => [id, level])).toEqual([
      ["A rule", "medium"],
      ["n", "medium"],
    ]);
  });
});
