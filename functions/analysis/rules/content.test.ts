import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { ruleProblemCodes } from "../sigma/language/problem.ts";
import { runCases } from "./cases.ts";
import { compileRules } from "./compile.ts";
import { contentOf, shownRuleId } from "./content.ts";
import { type Episode, episodesOf } from "./episodes.ts";
import { readRuleFiles } from "./files.ts";
import { lintRules } from "./lint/lint.ts";
import { raisingOf, ruleTable } from "./table.testing.ts";

const directory = new URL("../../../rules", import.meta.url).pathname;
const { ruleSet } = compileRules((await readRuleFiles(directory)).rules);
const raising = raisingOf(ruleSet);

/** What our rules make of events given as pairs of seconds and data. */
function alertsOf(...events: readonly (readonly [second: number, data: object])[]): readonly Episode[] {
  const timed = events.map(([second, data]) => ({
    time: second * 1000,
    data: auditRecorded.data.parse(data),
  }));
  return episodesOf(ruleSet, timed);
}

const failure = {
  event_type: "user_login",
  action_result: "FAILURE",
  user_id: "root",
  server_hostname: "edge-2",
};

test("every case of our rules passes", async () => {
  const { files, failed, problems } = await runCases(directory);
  const failing = files.flatMap(({ casesFile, results }) =>
    results.filter(({ failures }) => failures.length > 0).map((result) => ({ casesFile, ...result })),
  );
  expect(failing).toEqual([]);
  expect(problems).toEqual([]);
  expect(failed).toBe(0);
  expect(files.length).toBe(new Set(raising.map(({ file }) => file)).size);
});

test("our rules are blameless", async () => {
  expect(await lintRules(directory)).toEqual([]);
});

test.for(raising.map((rule) => [shownRuleId(rule), rule] as const))(
  "%s tells people what they need",
  ([, rule]) => {
    expect(contentOf(rule).remediation).toBeTruthy();
    expect(rule.description).toBeTruthy();
    expect(rule.falsepositives.length).toBeGreaterThan(0);
    expect(rule.tags).toEqual(expect.arrayContaining([expect.stringMatching(/^attack\.t\d{4}/)]));
    expect(rule.tags.filter((tag) => !/^attack\.(?:t\d{4}(?:\.\d{3})?|[a-z-]+)$/.test(tag))).toEqual([]);
    expect(contentOf(rule).rule_id).toBeDefined();
    expect(rule.author).toBe("AuditFlow");
  },
);

test("rules/README.md explains every code a problem can have", () => {
  const readme = readFileSync(`${directory}/README.md`, "utf8");
  expect(ruleProblemCodes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});

test("there are forty rules and more, each under an id of its own", () => {
  const documents = [...ruleSet.rules, ...ruleSet.correlations].filter(({ id }) => !id.includes("/"));
  expect(new Set(raising.map(shownRuleId)).size).toBe(raising.length);
  expect(raising.length).toBeGreaterThanOrEqual(40);
  for (const { id } of documents)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("rules/README.md has the table of everything that raises alerts", () => {
  const readme = readFileSync(`${directory}/README.md`, "utf8");
  const [table] = /^\| id \| title .*\n(?:\|.*\n)+/m.exec(readme) ?? [];
  expect(table?.trim()).toBe(ruleTable(ruleSet));
});

test("predecessor-bug-01: the sensitive file rule fires on the path under details and at top level", () => {
  const event = { event_type: "file_modified", action_result: "MODIFIED" };
  expect(alertsOf([0, { ...event, details: { resource: "/etc/passwd" } }])).toMatchObject([
    { shown: "ANLY-SEC-002" },
  ]);
  expect(alertsOf([0, { ...event, resource: "/etc/passwd" }])).toMatchObject([{ shown: "ANLY-SEC-002" }]);
});

test("predecessor-bug-03: a sensitive path inside another path is another file", () => {
  const event = { event_type: "file_modified", action_result: "MODIFIED" };
  expect(alertsOf([0, { ...event, resource: "/srv/backup/etc/passwd.example" }])).toEqual([]);
});

test("predecessor-bug-08: one address that tries many users on many hosts is seen", () => {
  const spray = Array.from({ length: 20 }, (_, i): [number, object] => [
    i * 20,
    {
      ...failure,
      user_id: `user-${i}`,
      server_hostname: `host-${i}`,
      details: { ip_address: "203.0.113.7" },
    },
  ]);
  expect(alertsOf(...spray)).toMatchObject([
    { shown: "AUTH-SPRAY-001", count: 20, group: { src_ip: "203.0.113.7" } },
  ]);
});

test("predecessor-bug-10: every rule sees every event", () => {
  const events = [0, 1, 2, 3, 4].map((second): [number, object] => [
    second,
    {
      ...failure,
      details: { ip_address: "203.0.113.7" },
      logsource: { product: "linux", category: "authentication", service: "sshd" },
    },
  ]);
  expect(
    alertsOf(...events)
      .map(({ shown }) => shown)
      .toSorted(),
  ).toEqual(["ANLY-SEC-001", "SSHD-001"]);
});

test("predecessor-bug-12: severity and words are each rule's own, and no playbook is made up", () => {
  expect(new Set(raising.map(({ level }) => level)).size).toBeGreaterThan(1);
  expect(new Set(raising.map((rule) => contentOf(rule).remediation)).size).toBeGreaterThan(1);
  for (const rule of raising) expect(contentOf(rule).playbook_url ?? "").not.toContain("example.com");
});
