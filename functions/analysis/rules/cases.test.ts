import { describe, expect, test } from "vitest";

import { runCases } from "./cases.ts";
import { openFolder, ruleOf } from "./folder.testing.ts";
import { listRules } from "./list.ts";

const burst = `${ruleOf("hit", "x")}name: hit
---
title: Burst
id: burst
level: high
auditflow: {rule_id: BURST-1}
correlation: {type: event_count, rules: [hit], group-by: [who], timespan: 10s, condition: {gte: 3}}
`;

const defaults = "defaults: {event_type: thing, logsource: {category: test}, details: {a: x, who: ana}}\n";

async function run(cases: string, rules: Readonly<Record<string, string>> = { "burst.yml": burst }) {
  await using folder = await openFolder({ ...rules, "burst.cases.yml": cases });
  return await runCases(folder.path);
}

/** What the one case of a file fails with. */
async function failures(events: string, expected: string) {
  const report = await run(`${defaults}cases: [{case: c, events: ${events}, expect: ${expected}}]`);
  expect(report.problems).toEqual([]);
  return report.files.flatMap(({ results }) => results.flatMap((result) => result.failures));
}

describe("a case", () => {
  test.for([
    ["three within the span", "[{at: 0s, repeat: 3}]", "[{rule: BURST-1, count: 3}]"],
    ["the rule by Sigma's id", "[{at: 0s, repeat: 3}]", "[{rule: burst}]"],
    ["a group", "[{at: 0s, repeat: 3}]", "[{rule: burst, group: {who: ana}}]"],
    ["nothing", "[{at: 0s, repeat: 2}]", "[]"],
    [
      "two groups",
      "[{at: 0s, repeat: 3}, {at: 0s, repeat: 3, details: {who: bela}}]",
      "[{rule: burst, group: {who: bela}}, {rule: burst, group: {who: ana}}]",
    ],
    [
      "bursts that touch as one",
      "[{at: 0s, repeat: 3, every: 4s}, {at: 12s, repeat: 3, every: 4s}]",
      "[{rule: burst, count: 6}]",
    ],
    [
      "bursts apart as two",
      "[{at: 0s, repeat: 3}, {at: 30s, repeat: 4}]",
      "[{rule: burst, count: 3}, {rule: burst, count: 4}]",
    ],
    ["events out of order", "[{at: 9s}, {at: 250ms}, {at: 4.5s}]", "[{rule: burst, count: 3}]"],
    ["an event without the group's field as nothing", "[{at: 0s, repeat: 9, details: {who: null}}]", "[]"],
  ] as const)("passes that expects %s", async ([, events, expected]) => {
    expect(await failures(events, expected)).toEqual([]);
  });

  test.for([
    ["[{at: 0s, repeat: 2}]", "[{rule: BURST-1, count: 3}]", ["expected alert BURST-1 count 3, got none"]],
    [
      "[{at: 0s, repeat: 4}]",
      "[{rule: BURST-1, count: 3}]",
      ["expected alert BURST-1 count 3, got alert BURST-1 count 4 (who ana)"],
    ],
    [
      "[{at: 0s, repeat: 3}]",
      "[{rule: BURST-1, group: {who: bela}}]",
      ["expected alert BURST-1 (who bela), got alert BURST-1 count 3 (who ana)"],
    ],
    ["[{at: 0s, repeat: 3}]", "[]", ["unexpected alert BURST-1 count 3 (who ana)"]],
    [
      "[{at: 0s, repeat: 3}]",
      "[{rule: BURST-1}, {rule: BURST-1}]",
      ["expected alert BURST-1, got alert BURST-1 count 3 (who ana)"],
    ],
    ["[{at: 0s, repeat: 3}]", "[{rule: BURST-2}]", ["burst.yml has no rule 'BURST-2' in force"]],
  ] as const)("with events %s that expects %s fails: %j", async ([events, expected, message]) => {
    expect(await failures(events, expected)).toEqual(message);
  });

  test("counts into the totals and knows its line", async () => {
    const cases = `${defaults}cases:
  - case: right
    events: [{at: 0s}]
    expect: []
  - case: wrong
    events: [{at: 0s}]
    expect: [{rule: burst}]
`;
    const report = await run(cases);
    expect(report).toMatchObject({ passed: 1, failed: 1, problems: [] });
    expect(report.files).toMatchObject([
      {
        file: "burst.yml",
        casesFile: "burst.cases.yml",
        results: [{ line: 3 }, { title: "wrong", line: 6 }],
      },
    ]);
  });

  test("speaks of the rules of its own file, with all rules loaded", async () => {
    const [rule = "", correlation = ""] = burst.split("---\n");
    const cases = `${defaults}cases: [{case: c, events: [{at: 0s, repeat: 3}], expect: [{rule: burst}]}]`;
    const report = await run(cases, {
      "burst.yml": correlation,
      "hit.yml": rule,
      "other.yml": ruleOf("other", "x"),
    });
    expect(report).toMatchObject({ passed: 1, failed: 0 });
  });

  test("sees a rule that a correlation lets speak for itself", async () => {
    const rules = { "burst.yml": burst.replace("gte: 3}}", "gte: 3}, generate: true}") };
    const cases = `${defaults}cases: [{case: c, events: [{at: 0s}], expect: [{rule: hit}]}]`;
    expect(await run(cases, rules)).toMatchObject({ passed: 1, failed: 0 });
  });
});

describe("cases that cannot be read are problems with their place", () => {
  test.for([
    ["no list", "just: text", 1],
    ["an empty list", "cases: []", 1],
    ["an empty file", "", 1],
    ["no YAML", "cases: [", 1],
    ["no expectation", `${defaults}cases:\n  - {case: c, events: [{at: 0s}]}`, 3],
    ["an unknown key", `${defaults}cases:\n  - {case: c, events: [{at: 0s}], expects: []}`, 3],
    ["no time", `${defaults}cases:\n  - {case: c, events: [{user_id: x}], expect: []}`, 3],
    ["a time without unit", `${defaults}cases:\n  - {case: c, events: [{at: '10'}], expect: []}`, 3],
    ["no events", `${defaults}cases:\n  - {case: c, events: [], expect: []}`, 3],
    [
      "an event that is no audit event",
      "cases:\n  - {case: c, events: [{at: 0s, user_id: x}], expect: []}",
      2,
    ],
    [
      "a wrong expectation",
      `${defaults}cases:\n  - {case: c, events: [{at: 0s}], expect: [{rule: x, count: 0}]}`,
      3,
    ],
  ] as const)("%s", async ([, text, line]) => {
    const report = await run(text);
    expect(report.problems).toMatchObject([
      { code: "RULE_CASES_INVALID", severity: "error", file: "burst.cases.yml", line },
    ]);
    expect(report).toMatchObject({ passed: 0, failed: 0 });
  });

  test("problems of rules are told too", async () => {
    await using folder = await openFolder({ "a.yml": "title: no detection" });
    expect((await runCases(folder.path)).problems).toMatchObject([{ code: "RULE_DOCUMENT_INVALID" }]);
  });
});

test("the list of rules has a row for every rule and correlation, in the order of files and lines", async () => {
  await using folder = await openFolder({
    "b.yml": burst,
    "b.cases.yml": `${defaults}cases: [{case: c, events: [{at: 0s}], expect: []}]`,
    "a.yml": ruleOf("first", "1"),
  });
  const { rules, problems } = await listRules(folder.path);
  expect(problems).toEqual([]);
  expect(rules).toMatchObject([
    {
      id: "first",
      kind: "rule",
      level: "low",
      logsource: "-/test/-",
      raises: true,
      cases: 0,
      file: "a.yml",
      line: 1,
    },
    { id: "hit", kind: "rule", raises: false, cases: 1, file: "b.yml", line: 1 },
    {
      id: "BURST-1",
      kind: "event_count",
      level: "high",
      logsource: "",
      raises: true,
      cases: 1,
      file: "b.yml",
      line: 9,
    },
  ]);
  expect(rules.map(({ revision }) => revision)).toEqual(
    rules.map(() => expect.stringMatching(/^[0-9a-f]{12}$/)),
  );
});
