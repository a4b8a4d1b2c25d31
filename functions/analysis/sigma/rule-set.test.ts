import { describe, expect, test } from "vitest";

import { compile, rule } from "./compiling.testing.ts";
import { correlation, failed, named, whole } from "./language/correlation.testing.ts";
import { createRuleSet, hashOf } from "./rule-set.ts";

describe("what a rule says about itself", () => {
  test("is kept, with unknown keys as custom data", () => {
    const { ruleSet } = compile(`title: T
id: 5f1b4d1c-0000-4000-8000-000000000001
name: tee
related:
  - {id: 5f1b4d1c-0000-4000-8000-000000000002, type: derived}
taxonomy: sigma
status: test
level: high
author: Ana
license: Apache-2.0
description: D
tags: [attack.t1110, attack.credential_access]
references: [https://example.org]
falsepositives: [none known]
fields: [user_id]
scope: [server]
date: 2026-11-21
modified: 2026-11-22
auditflow: {rule_id: ANLY-SEC-001, count: 3, big: 12345678901234567890}
logsource: {product: x}
detection: {s: {a: 1}, condition: s}
`);
    expect(ruleSet.rules[0]).toMatchObject({
      id: "5f1b4d1c-0000-4000-8000-000000000001",
      name: "tee",
      title: "T",
      related: [{ id: "5f1b4d1c-0000-4000-8000-000000000002", type: "derived" }],
      taxonomy: "sigma",
      status: "test",
      level: "high",
      author: "Ana",
      license: "Apache-2.0",
      description: "D",
      tags: ["attack.t1110", "attack.credential_access"],
      references: ["https://example.org"],
      falsepositives: ["none known"],
      fields: ["user_id"],
      scope: ["server"],
      date: "2026-11-21",
      modified: "2026-11-22",
      file: "1.yml",
      line: 1,
      silent: false,
    });
    expect(ruleSet.rules[0]?.custom).toEqual({
      auditflow: { rule_id: "ANLY-SEC-001", count: 3, big: "12345678901234567890" },
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

  test.for([
    ["related: x", 3, 10],
    ["related: [{id: y}]", 3, 11],
    ["scope: {a: 1}", 3, 8],
    ["license: [a]", 3, 10],
  ] as const)("is refused where it cannot be read: %s", ([attribute, line, column]) => {
    const { problems } = compile(rule("  s: {a: 1}\n  condition: s", `${attribute}\n`));
    expect(problems).toMatchObject([{ code: expect.stringMatching(/^RULE_ATTRIBUTE_/), line, column }]);
  });

  test("is JSON: a rule set survives being written and read", () => {
    const filter =
      "title: F\nlogsource: {category: test}\nfilter: {rules: any, s: {b: 1}, condition: not s}\n";
    const { rules, correlations } = compile(failed, whole(), filter).ruleSet;
    const written = JSON.stringify({ rules, correlations });
    expect(JSON.stringify(JSON.parse(written))).toBe(written);
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify({ rules, correlations })));
  });
});

describe("the report", () => {
  const bad = "title: broken\ndetection: [\n";
  const loads = [
    [[], {}],
    [["# nothing\n"], {}],
    [[failed, whole()], { documents: 2, rules: 1, correlations: 1 }],
    [
      [`${failed}---\n${bad}---\n${named("b")}`],
      { documents: 3, rules: 2, byCode: { RULE_YAML_INVALID: 1 } },
    ],
    [[failed, failed], { documents: 2, rules: 1, byCode: { RULE_ID_DUPLICATE: 1 } }],
    [
      [whole(), correlation("x", { type: "temporal", rules: "x", timespan: "1m" }), "[a]", "title: t\n"],
      {
        documents: 4,
        byCode: { CORRELATION_RULE_UNKNOWN: 1, CORRELATION_CYCLE: 1, RULE_DOCUMENT_INVALID: 2 },
      },
    ],
    [
      [
        `action: global\ntitle: G\n---\n${named("a").replace("title: A rule\n", "")}---\naction: reset\n---\naction: x\n`,
      ],
      { documents: 4, rules: 1, actions: 2, byCode: { RULE_DOCUMENT_INVALID: 1 } },
    ],
  ] as const;

  test.for(loads)("adds up: %j", ([texts, expected]) => {
    const { report, problems, ruleSet } = compile(...texts);
    expect(report).toMatchObject(expected);
    const { documents, loaded, refused, rules, correlations, filters, actions, byCode } = report;
    expect(loaded + refused).toBe(documents);
    expect(rules + correlations + filters + actions).toBe(loaded);
    expect(Object.values(byCode).reduce((sum, count) => sum + count, 0)).toBe(refused);
    expect(problems.filter(({ severity }) => severity === "error")).toHaveLength(refused);
    expect([ruleSet.rules.length, ruleSet.correlations.length]).toEqual([rules, correlations]);
    expect(ruleSet.size).toBe(rules + correlations);
  });
});

describe("a rule set of groups", () => {
  const hash = (text: string) => text;
  const { rules } = compile(named("a"), named("b")).ruleSet;

  test("asks a group for its rules when they are needed, and only once", () => {
    let asked = 0;
    const group = {
      logsource: { category: "test" },
      rules: () => {
        asked += 1;
        return rules;
      },
    };
    const ruleSet = createRuleSet({ hash: "h", size: 2, groups: [group], correlations: [] });
    expect([ruleSet.hash, ruleSet.size, asked]).toEqual(["h", 2, 0]);
    expect(ruleSet.match({ a: "a" }, { category: "other" })).toEqual([]);
    expect(asked).toBe(0);
    expect(ruleSet.match({ a: "a" }, { category: "test" })).toEqual([rules[0]]);
    expect(ruleSet.rules).toEqual(rules);
    expect(ruleSet.rules).toBe(ruleSet.rules);
    expect(asked).toBe(1);
  });

  test("has a hash that does not change with the order of rules", () => {
    expect(hashOf(rules, [], hash)).toBe(hashOf(rules.toReversed(), [], hash));
    expect(hashOf(rules, [], hash)).not.toBe(hashOf(rules.slice(1), [], hash));
    const silent = rules.map((one) => ({ ...one, silent: true }));
    expect(hashOf(silent, [], hash)).not.toBe(hashOf(rules, [], hash));
  });
});
