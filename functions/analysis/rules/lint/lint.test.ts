import { expect, test } from "vitest";

import { filterOf, openFolder, ruleOf } from "../folder.testing.ts";
import { lintRules } from "./lint.ts";

const cases = (rule: string) => `defaults: {event_type: thing, logsource: {category: test}}
cases:
  - {case: yes, events: [{at: 0s, a: '1'}], expect: [{rule: ${rule}}]}
  - {case: no, events: [{at: 0s, a: '2'}], expect: []}
`;

const lint = async (files: Readonly<Record<string, string>>) => {
  await using folder = await openFolder(files);
  const problems = await lintRules(folder.path);
  return problems.map(({ code, severity, file, line }) => [code, severity, file, line]);
};

test("a rule with a level and cases of both kinds is blameless", async () => {
  expect(await lint({ "a.yml": ruleOf("a", "1"), "a.cases.yml": cases("a") })).toEqual([]);
});

const contradiction = (detection: string) =>
  ruleOf("a", "1").replace(/ {2}selection: .*\n {2}condition: .*/, () => detection);

test.for([
  [
    "no level",
    { "a.yml": ruleOf("a", "1").replace("level: low\n", "") },
    [["RULE_LEVEL_MISSING", "warning", "a.yml", 1]],
  ],
  [
    "a level that does not exist",
    { "a.yml": ruleOf("a", "1").replace("low", "urgent") },
    [["RULE_ATTRIBUTE_INVALID", "error", "a.yml", 2]],
  ],
  [
    "a malformed auditflow key",
    { "a.yml": `${ruleOf("a", "1")}auditflow: {rule: X}\n` },
    [["RULE_CONTENT_INVALID", "error", "a.yml", 1]],
  ],
  [
    "a playbook that is no URL",
    { "a.yml": `${ruleOf("a", "1")}auditflow: {playbook_url: wiki}\n` },
    [["RULE_CONTENT_INVALID", "error", "a.yml", 1]],
  ],
  [
    "one title twice",
    { "a.yml": ruleOf("a", "1"), "b.yml": `${ruleOf("A", "'*1'")}id: b\n`, "b.cases.yml": cases("b") },
    [["RULE_TITLE_DUPLICATE", "warning", "b.yml", 1]],
  ],
  [
    "a part and its negation",
    { "a.yml": contradiction("  s: {a: 1}\n  condition: s and not s") },
    [["RULE_NEVER_MATCHES", "warning", "a.yml", 1]],
  ],
  [
    "absent and of a value",
    { "a.yml": contradiction("  s: {'b|exists': false, b: 1}\n  condition: s") },
    [["RULE_NEVER_MATCHES", "warning", "a.yml", 1]],
  ],
  [
    "a value that an exclusion takes away again",
    {
      "a.yml": contradiction(
        "  s: {a|endswith: ['\\\\cmd.exe', '\\\\CMD.COM']}\n  f: {'a|contains': cmd}\n  g: {b: 1}\n  condition: s and not 1 of [fg]".replace(
          "1 of [fg]",
          "(f or g)",
        ),
      ),
    },
    [["RULE_NEVER_MATCHES", "warning", "a.yml", 1]],
  ],
  [
    "a field that events of a known log source do not have",
    {
      "a.yml": ruleOf("a", "1")
        .replace("{category: test}", "{product: aws, service: cloudtrail}")
        .replace("{a: 1}", "{eventNmae: x, requestParameters.userName: y, 'userAgent|fieldref': usrAgent}"),
      "a.cases.yml": "cases: [{case: c, events: [{at: 0s, event_type: t}], expect: []}]",
    },
    [
      ["RULE_CASES_MISSING", "warning", "a.yml", 1],
      ["RULE_FIELD_UNKNOWN", "warning", "a.yml", 1],
      ["RULE_FIELD_UNKNOWN", "warning", "a.yml", 1],
    ],
  ],
  [
    "an exception that nobody answers for",
    {
      "a.yml": ruleOf("a", "1"),
      "x.yml":
        "title: x\nlogsource: {category: test}\nfilter: {rules: [a], s: {a: 9}, condition: not s}\nauditflow: {owner: ana, expires: 2100-01-01}\n",
    },
    [["FILTER_UNOWNED", "warning", "x.yml", 1]],
  ],
  [
    "a chain that names a rule",
    {
      "a.yml": `${ruleOf("a", "1")}name: r\n---\ntitle: b\nname: b\nlevel: low\ncorrelation: {type: event_count, rules: [r], timespan: 1m, condition: {gte: 1}}\n---\ntitle: c\nid: c\nlevel: low\ncorrelation: {type: temporal, rules: [b, r], timespan: 1m}\n`,
      "a.cases.yml": cases("c"),
    },
    [["CORRELATION_REPLAYS", "warning", "a.yml", 14]],
  ],
  [
    "a group of one event",
    {
      "a.yml": `${ruleOf("a", "1")}name: r\n---\ntitle: c\nid: c\nlevel: low\ncorrelation: {type: event_count, rules: [r], group-by: [user_id, details.event_id], timespan: 1m, condition: {gte: 1}}\n`,
      "a.cases.yml": cases("c").replaceAll("a: '1'", "a: '1', user_id: ana, details: {event_id: x}"),
    },
    [["RULE_GROUP_UNIQUE", "warning", "a.yml", 9]],
  ],
  [
    "a regular expression without a fixed text",
    {
      "a.yml": contradiction(
        "  s: {'a|re': '^[0-9]+$', 'b|re': 'x[0-9]+yz'}\n  t: {a: 1}\n  condition: s or t",
      ),
    },
    [["RULE_REGEX_WITHOUT_LITERAL", "warning", "a.yml", 1]],
  ],
  [
    "the same detection twice",
    {
      "a.yml": ruleOf("a", "1"),
      "b.yml": `${ruleOf("b", "1")}id: b\n`,
      "b.cases.yml": cases("b"),
    },
    [["RULE_DUPLICATE", "warning", "b.yml", 1]],
  ],
  [
    "an unused identifier",
    { "a.yml": contradiction("  s: {a: 1}\n  t: {b: 1}\n  condition: s") },
    [["RULE_IDENTIFIER_UNUSED", "warning", "a.yml", 6]],
  ],
] as const)("%s is told", async ([, files, expected]) => {
  expect(await lint({ "a.cases.yml": cases("a"), ...files })).toEqual(expected);
});

test.for([
  ["no file of cases", undefined],
  ["no case that expects it", cases("b")],
  ["no case that expects silence", cases("a").replace(/.*case: no.*\n/, "")],
] as const)("%s is told", async ([, text]) => {
  const found = await lint({ "a.yml": ruleOf("a", "1"), ...(text ? { "a.cases.yml": text } : {}) });
  expect(found).toEqual([["RULE_CASES_MISSING", "warning", "a.yml", 1]]);
});

test("a rule that only serves a correlation needs no case of its own, the correlation does", async () => {
  const correlation = `title: c
level: low
correlation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}}
`;
  const found = await lint({ "a.yml": ruleOf("a", "1"), "c.yml": correlation });
  expect(found).toEqual([["RULE_CASES_MISSING", "warning", "c.yml", 1]]);
});

test.for([
  ["either of two", "  s: {a: 1}\n  t: {a: 2}\n  condition: s or not s and t"],
  ["a value and the absence of another field", "  s: {'b|exists': false, a: 1}\n  condition: s"],
  ["two values of one field, which an array may hold", "  s: {a: 1}\n  t: {a: 2}\n  condition: s and t"],
] as const)("what can match is not called impossible: %s", async ([, detection]) => {
  expect(await lint({ "a.yml": contradiction(detection), "a.cases.yml": cases("a") })).toEqual([]);
});

test("an exception that has ended is told of, from that moment on", async () => {
  const files = {
    "a.yml": `id: a\n${ruleOf("a", "1")}`,
    "a.cases.yml": cases("a"),
    "f.yml": filterOf("a", "2026-01-01"),
  };
  await using folder = await openFolder(files);
  const end = Date.UTC(2026, 0, 1);
  expect(await lintRules(folder.path, end - 1)).toEqual([]);
  expect(await lintRules(folder.path, end)).toMatchObject([
    { code: "FILTER_EXPIRED", severity: "warning", file: "f.yml", line: 7 },
  ]);
});
