import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import type { AlertRaised } from "../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import { createFailpoint } from "../../runtime/failpoints.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import {
  alertsOf,
  createTestAnalysis,
  login,
  type TestAnalysisOptions,
  testNow,
} from "./analysis.testing.ts";
import { compileRules } from "./rules/compile.ts";
import { readRuleFiles } from "./rules/files.ts";

const folder = fileURLToPath(new URL("../../rules/", import.meta.url));
const { ruleSet, problems } = compileRules((await readRuleFiles(folder)).rules);
const burst = "ANLY-SEC-001";
const sensitive = "ANLY-SEC-002";

/** The rules that are delivered, in a detector of its own. */
function createAnalysis(options: TestAnalysisOptions = {}) {
  return createTestAnalysis({ rules: () => ruleSet, ...options });
}

/** Every alert event the rule of this id raised. */
async function raisedBy(
  id: string,
  events: readonly Event<AuditRecorded>[],
  options: TestAnalysisOptions = {},
) {
  const { detect } = createAnalysis(options);
  const alerts: AlertRaised[] = [];
  for (const event of events) alerts.push(...alertsOf(await detect(event)));
  return alerts.filter(({ analysis_rule }) => analysis_rule.rule_id === id);
}

function idsOf(alerts: readonly AlertRaised[]): number {
  return new Set(alerts.map(({ alert_id }) => alert_id)).size;
}

function edit(id: string, resource: string, where: "details" | "top"): Event<AuditRecorded> {
  const place = where === "details" ? { details: { resource } } : { details: {}, resource };
  return login(id, 0, { event_type: "file_modified", action_result: "MODIFIED", ...place });
}

function attempts(count: number, apartSeconds: number, changes: Partial<AuditRecorded> = {}) {
  return Array.from({ length: count }, (_, i) => login(`e${i}`, (i - count) * apartSeconds, changes));
}

test("the delivered rules have no errors", () => {
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
});

describe("what the predecessor detected wrongly", () => {
  test.for(["details", "top"] as const)(
    "predecessor-bug-01 a sensitive file in %s raises an alert",
    async (where) => {
      const [alert, ...more] = await raisedBy(sensitive, [edit("a", "/etc/passwd", where)]);
      expect(alert?.impacted_resource.resource_id).toBe("/etc/passwd");
      expect(more).toEqual([]);
    },
  );

  test.for([{ details: { ip_address: "203.0.113.7" } }, { details: {}, client_ip: "203.0.113.7" }])(
    "predecessor-bug-02 the client's address is told from %j",
    async (place) => {
      const [alert] = await raisedBy(burst, attempts(3, 1, place));
      expect(alert?.triggered_by.client_ip).toBe("203.0.113.7");
    },
  );

  test("predecessor-bug-02 an address that is not known is null, not a word", async () => {
    const [alert] = await raisedBy(burst, attempts(3, 1, { details: {} }));
    expect(alert?.triggered_by.client_ip).toBeNull();
  });

  test.for(["/srv/backup/etc/passwd.example", "/etc/passwd.example", "/home/etc/passwd", "x/etc/passwd"])(
    "predecessor-bug-03 %s is not the sensitive file it resembles",
    async (resource) => {
      expect(await raisedBy(sensitive, [edit("a", resource, "top")])).toEqual([]);
    },
  );

  test("predecessor-bug-03 another way to write the path is the same file", async () => {
    expect(await raisedBy(sensitive, [edit("a", "/etc/../etc//passwd", "top")])).toHaveLength(1);
  });

  test("predecessor-bug-04 ten failed logins are one alert with ten events, not eight alerts", async () => {
    // Within one bucket of a minute, so that one alert id stands for all; across two, notification joins them.
    const alerts = await raisedBy(burst, attempts(10, 2));
    expect(idsOf(alerts)).toBe(1);
    expect(new Set(alerts.flatMap(({ evidence = [] }) => evidence.map(({ id }) => id))).size).toBe(10);
    expect(alerts.at(-1)?.count).toBe(10);
  });

  test("predecessor-bug-05 failures an hour apart, delivered together, are no burst", async () => {
    expect(await raisedBy(burst, attempts(3, 3600))).toEqual([]);
  });

  test("predecessor-bug-05 a burst of yesterday, delivered today in disorder, is one", async () => {
    const yesterday = attempts(3, 1).map((event) => login(event.id, -86_400 + Number(event.id.slice(1))));
    expect(idsOf(await raisedBy(burst, yesterday.toReversed()))).toBe(1);
  });

  test("predecessor-bug-06 a redelivery raises the same alert under the same id", async () => {
    const [first, second, third] = attempts(3, 1);
    if (!first || !second || !third) throw new Error("three attempts are needed");
    const { detect } = createAnalysis();
    for (const event of [first, second]) await detect(event);
    const answer = await detect(third);
    expect(alertsOf(answer).some(({ analysis_rule }) => analysis_rule.rule_id === burst)).toBe(true);
    expect(await detect(third)).toEqual(answer);
  });

  test("predecessor-bug-07 one event delivered three times is no burst", async () => {
    const [event] = attempts(1, 1);
    if (!event) throw new Error("an attempt is needed");
    expect(await raisedBy(burst, [event, event, event])).toEqual([]);
  });

  test.for([
    ["one user on one host", ["user_id", "server_hostname"], false],
    ["a spray from one address over users", ["src_ip"], true],
    ["one host under attack by many", ["server_hostname"], true],
  ] as const)("predecessor-bug-08 windows group by any field: %s", async ([, groupBy, expected]) => {
    const rules = compileRules([{ file: "spray.yml", text: sprayRule(groupBy) }]).ruleSet;
    const spray = Array.from({ length: 3 }, (_, i) => login(`s${i}`, i, { user_id: `user-${i}` }));
    const alerts = await raisedBy("spray", spray, { rules: () => rules });
    expect(alerts.length > 0).toBe(expected);
  });

  test.for(["after-window", "record", "after-record", "before-answer"])(
    "predecessor-bug-09 a crash at %s loses no alert, though no further event comes",
    async (place) => {
      const shared = {
        state: createMemoryState({ now: () => testNow }),
        ledger: createMemoryLedger({ now: () => testNow }),
      };
      const events = attempts(3, 1);
      const crashing = createAnalysis({
        ...shared,
        failpoint: createFailpoint(`${place}:throw`, { random: () => 0 }),
      });
      const outcomes = await Promise.allSettled(events.map((event) => crashing.detect(event)));
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      expect(idsOf(await raisedBy(burst, events, shared))).toBe(1);
    },
  );

  test("predecessor-bug-10 every rule sees every event", async () => {
    const text = `${sprayRule(["user_id"])}---
title: Any login
id: any-login
logsource: {category: authentication}
detection: {selection: {event_type: user_login}, condition: selection}
---
title: Any login of root
id: root-login
logsource: {category: authentication}
detection: {selection: {user_id: root}, condition: selection}
`;
    const rules = compileRules([{ file: "many.yml", text }]).ruleSet;
    const { detect } = createTestAnalysis({ rules: () => rules });
    for (const event of attempts(2, 1)) await detect(event);
    const raised = alertsOf(await detect(login("last", 0))).map(({ analysis_rule }) => analysis_rule.rule_id);
    expect(raised.toSorted()).toEqual(["any-login", "root-login", "spray"]);
  });

  test("predecessor-bug-12 severity, playbook and text come from the rule and the count from the events", async () => {
    const alerts = await raisedBy(burst, attempts(5, 1));
    expect(alerts.map(({ severity }) => severity)).toEqual(["HIGH", "HIGH", "HIGH"]);
    expect(alerts.map(({ description }) => /\b(\d+) events/.exec(description)?.[1])).toEqual(["3", "4", "5"]);
    expect(JSON.stringify(alerts)).not.toContain("example.com");
    expect((await raisedBy(sensitive, [edit("a", "/etc/passwd", "top")]))[0]?.severity).toBe("CRITICAL");
  });

  test("predecessor-bug-31 every time an alert tells is RFC 3339 with one Z", async () => {
    const given = attempts(3, 1).map((event) => ({
      ...event,
      data: { ...event.data, timestamp: "2026-11-21T12:00:00+00:00Z" },
    }));
    const [alert] = await raisedBy(burst, given);
    const times = [
      alert?.timestamp,
      alert?.first_seen,
      alert?.last_seen,
      ...(alert?.evidence ?? []).map(({ time }) => time),
    ];
    for (const time of times) expect(time).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  });
});

function sprayRule(groupBy: readonly string[]): string {
  return `
title: Failed login
id: failed
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Spray
id: spray
correlation: {type: event_count, rules: [failed], group-by: [${groupBy.join(", ")}], timespan: 60s, condition: {gte: 3}}
`;
}
