import { describe, expect, test } from "vitest";

import { activateRules } from "./activation.ts";
import { compileRules } from "./compile.ts";
import type { RuleFiles } from "./files.ts";
import { filterOf, ruleOf } from "./folder.testing.ts";

const good = ruleOf("good", "1").replace("title: good", "title: Good\nid: good");
const bad = ruleOf("bad", "1").replace("title: bad", "title: Bad\nid: bad");
const burst = (id: string, rules: string) => `
title: ${id}
id: ${id}
correlation: {type: event_count, rules: [${rules}], timespan: 1m, condition: {gte: 2}}
`;
/** One event of category `test` with a value of `a`, and the rules expected to alert. */
const caseOf = (a: string, ...rules: readonly string[]) => `
- case: a is ${a}
  events: [{at: 0s, event_type: x, logsource: {category: test}, details: {a: '${a}'}}]
  expect: [${rules.map((rule) => `{rule: ${rule}}`).join(", ")}]
`;

function filesOf(files: Readonly<Record<string, string>>): RuleFiles {
  const documents = Object.entries(files).map(([file, text]) => ({ file, text }));
  const isCases = ({ file }: { readonly file: string }) => file.includes(".cases.");
  return {
    rules: documents.filter((document) => !isCases(document)),
    cases: documents.filter(isCases),
    problems: [],
  };
}

function activated(files: Readonly<Record<string, string>>) {
  const activation = activateRules(filesOf(files));
  const { ruleSet, problems } = activation.at(undefined);
  const ids = [...ruleSet.rules, ...ruleSet.correlations].map(({ id }) => id);
  const said = problems.map(({ code, file, line }) => `${code} ${file}:${line}`);
  return { ...activation, ruleSet, problems, ids, said };
}

describe("rules that pass their cases, and rules that have none,", () => {
  test("are in force", () => {
    const files = { "good.yml": good, "good.cases.yml": caseOf("1", "good"), "bad.yml": bad };
    const { ids, said, cases, ruleSet } = activated(files);
    expect({ ids, said, cases }).toEqual({ ids: ["good", "bad"], said: [], cases: { passed: 1, failed: 0 } });
    expect(ruleSet.hash).toBe(compileRules(filesOf(files).rules).ruleSet.hash);
  });
});

describe("a rule that fails its own cases is left out, and the others are not:", () => {
  test.for([
    ["an alert that is missing", caseOf("2", "bad"), 2],
    ["an alert that nobody expects", caseOf("1"), 2],
    ["the second case of two", caseOf("1", "bad") + caseOf("2", "bad"), 6],
  ] as const)("%s", ([, cases, line]) => {
    const { ids, said, problems, ruleSet } = activated({
      "good.yml": good,
      "good.cases.yml": caseOf("1", "good"),
      "bad.yml": bad,
      "bad.cases.yml": cases,
    });
    expect(ids).toEqual(["good"]);
    expect(said).toEqual([`RULE_CASES_FAILED bad.cases.yml:${line}`]);
    expect(problems[0]?.message).toContain("'Bad' is left out.");
    expect(ruleSet.match({ a: "1" }, { category: "test" }).map(({ id }) => id)).toEqual(["good"]);
    // The set without it is the set that would have been loaded without its file.
    expect(ruleSet.hash).toBe(compileRules([{ file: "good.yml", text: good }]).ruleSet.hash);
    expect(ruleSet.size).toBe(1);
  });

  test("a rule beside it in the same file", () => {
    const { ids } = activated({
      "both.yml": `${good}---\n${bad.replace("{a: 1}", "{a: 2}")}`,
      "both.cases.yml": caseOf("1", "good", "bad"),
    });
    expect(ids).toEqual(["good"]);
  });

  test("what refers to it goes too, whatever the order, and says so", () => {
    const { ids, said } = activated({
      "a.yml": burst("on-good", "good"),
      "b.yml": burst("on-bad", "bad"),
      "bad.yml": bad,
      "bad.cases.yml": caseOf("1", "bad"),
      "good.yml": good.replace("a: 1", "a: 2"),
    });
    // Silent behind its correlation, it raises nothing by itself.
    expect(ids).toEqual(["good", "on-good"]);
    expect(said).toEqual(["RULE_CASES_FAILED bad.cases.yml:2", "CORRELATION_RULE_UNKNOWN b.yml:2"]);
  });

  test("and so does what refers to that", () => {
    const { ids, said } = activated({
      "1.yml": burst("on-on-bad", "on-bad"),
      "2.yml": burst("on-bad", "bad"),
      "bad.yml": bad,
      "bad.cases.yml": caseOf("1", "bad"),
      "good.yml": good.replace("a: 1", "a: 2"),
    });
    expect(ids).toEqual(["good"]);
    expect(said.filter((problem) => problem.startsWith("CORRELATION"))).toEqual([
      "CORRELATION_RULE_UNKNOWN 2.yml:2",
      "CORRELATION_RULE_UNKNOWN 1.yml:2",
    ]);
  });

  test("a correlation by its own cases, without the rules it counts", () => {
    const { ids, said } = activated({
      "c.yml": `${good}---${burst("burst", "good")}`,
      "c.cases.yml": caseOf("1", "burst"),
    });
    expect(ids).toEqual(["good"]);
    expect(said).toEqual(["RULE_CASES_FAILED c.cases.yml:2"]);
  });
});

test("cases that cannot be read, or name a rule that is not there, are errors and take no rule away", () => {
  const { ids, said } = activated({
    "bad.yml": bad,
    "bad.cases.yml": caseOf("1", "somebody"),
    "good.yml": good,
    "good.cases.yml": "cases: 5",
  });
  expect(ids).toEqual(["bad", "good"]);
  expect(said.toSorted()).toEqual([
    "RULE_CASES_FAILED bad.cases.yml:2",
    "RULE_CASES_INVALID good.cases.yml:1",
  ]);
});

test("what says something malformed for AuditFlow is left out, and what refers to it", () => {
  const trial = `${bad}auditflow: {mode: shaddow, suppress: {by: [a], for: 1x}, mood: 1}\n`;
  const { ids, said, problems } = activated({
    "a.yml": burst("on-bad", "bad"),
    "bad.yml": trial,
    "good.yml": good,
  });
  expect(ids).toEqual(["good"]);
  expect(said).toEqual([
    ...Array.from({ length: 3 }, () => "RULE_CONTENT_INVALID bad.yml:1"),
    "CORRELATION_RULE_UNKNOWN a.yml:2",
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    `auditflow.mode is "shaddow": Invalid option: expected one of "active"|"shadow".`,
    `auditflow.suppress.for is "1x": no duration such as 30s, 10m or 12h, up to 366d.`,
    `auditflow: Unrecognized key: "mood".`,
    "'on-bad' is left out: it refers to 'bad', which is malformed.",
  ]);
});

describe("an exception that expires", () => {
  const expires = Date.parse("2027-03-01");
  const files = filesOf({
    "good.yml": good,
    "good.cases.yml": `
- case: the exception is respected
  events: [{at: 0s, event_type: x, logsource: {category: test}, details: {a: '1', b: known}}]
  expect: []
- case: and nothing else is excepted
  events: [{at: 0s, event_type: x, logsource: {category: test}, details: {a: '1', b: other}}]
  expect: [{rule: good}]`,
    "filter.yml": filterOf("good", "2027-03-01"),
  });
  const idsAt = (now: number | undefined) =>
    activateRules(files)
      .at(now)
      .ruleSet.match({ a: "1", b: "known" }, { category: "test" })
      .map(({ id }) => id);

  test("holds until then, and not a moment longer", () => {
    expect([undefined, expires - 1, expires, expires + 1].map(idsAt)).toEqual([[], [], ["good"], ["good"]]);
    expect(activateRules(files).at(expires - 1).expiresAt).toBe(expires);
    expect(activateRules(files).at(expires)).toMatchObject({
      expiresAt: undefined,
      problems: [{ code: "FILTER_EXPIRED", severity: "warning" }],
    });
  });

  test("does not make its rule fail the cases that speak of it", () => {
    const activation = activateRules(files);
    expect(activation.cases).toEqual({ passed: 2, failed: 0 });
    expect(activation.at(expires).ruleSet.rules.map(({ id }) => id)).toEqual(["good"]);
  });
});
