import { describe, expect, test } from "vitest";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { QualifiedBucket } from "../../runtime/state/state.ts";
import { bucketAlertId, bucketAlerts, ruleAlert, settledAlerts } from "./alerts.ts";
import { alertsOf, compileTestRules, login, testNow } from "./analysis.testing.ts";
import { toMember } from "./correlation/step.ts";
import { createJudge } from "./verdict.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function setUp(event = login("e-1", 0), text?: string) {
  const ruleSet = compileTestRules(text);
  const verdict = createJudge(ruleSet)(event);
  const [hit] = verdict?.hits ?? [];
  const [rule] = verdict?.matched ?? [];
  if (!verdict || !hit || !rule) throw new Error("the event matches nothing");
  return { hit, rule, cause: { event, time: testNow, fields: verdict.fields, ruleSet: "r1" } };
}

function bucketOf(ids: readonly string[]): QualifiedBucket {
  const members = ids.map((id, i) => ({
    member: toMember({ source: "/s", id }),
    time: testNow - 1000 * (ids.length - 1 - i),
  }));
  const firstSeen = members[0]?.time ?? 0;
  return { bucket: 7, crossedAt: testNow, count: 10, firstSeen, lastSeen: testNow, members };
}

test("an alert names the author, the licence and the tags of its rule", () => {
  const text = `
title: Anything
author: Jane Doe
license: DRL-1.1
tags: [attack.credential-access, attack.t1110]
logsource: {category: authentication}
detection: {selection: {user_id: root}, condition: selection}
`;
  const ruleSet = compileTestRules(text);
  const event = login("e-1", 0);
  const verdict = createJudge(ruleSet)(event);
  const [rule] = verdict?.matched ?? [];
  if (!verdict || !rule) throw new Error("the event matches nothing");
  const cause = { event, time: testNow, fields: verdict.fields, ruleSet: ruleSet.hash };
  expect(alertsOf([ruleAlert(rule, cause)])).toMatchObject([
    {
      analysis_rule: { rule_author: "Jane Doe", rule_license: "DRL-1.1" },
      metadata: { tags: ["attack.credential-access", "attack.t1110"] },
      rule_set: ruleSet.hash,
    },
  ]);
});

describe("the alert of a correlation", () => {
  test("has the predecessor's fields and ours", () => {
    const { hit, cause } = setUp();
    const [event] = bucketAlerts(hit, bucketOf(["0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01", "e-1"]), cause);
    expect(event).toMatchObject({
      type: "io.auditflow.alert.raised.v1",
      source: "/auditflow/analysis",
      subject: bucketAlertId(hit, 7),
      extensions: { severitytext: "HIGH" },
    });
    const [alert] = alertsOf(event ? [event] : []);
    expect(alert).toEqual({
      alert_id: bucketAlertId(hit, 7),
      timestamp: "2026-11-21T12:00:30.000Z",
      alert_name: "Failed login burst",
      alert_type: "SECURITY",
      severity: "HIGH",
      description:
        "Failed login burst: 10 events within 60 s of each other (user_id root, server_hostname edge-2).",
      source_service_name: "sshd",
      analysis_rule: { rule_id: "burst", rule_name: "Failed login burst" },
      triggered_by: { actor_type: "USER", actor_id: "root", client_ip: "203.0.113.7" },
      impacted_resource: { resource_type: "HOST", resource_id: "edge-2", server_hostname: "edge-2" },
      action_observed: "user_login",
      correlation_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
      raw_event_data: cause.event.data,
      metadata: { tags: [] },
      status: "open",
      count: 10,
      first_seen: "2026-11-21T12:00:29.000Z",
      last_seen: "2026-11-21T12:00:30.000Z",
      group_key: "4:root6:edge-2",
      group: { user_id: "root", server_hostname: "edge-2" },
      evidence: [
        { source: "/s", id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01", time: "2026-11-21T12:00:29.000Z" },
        { source: "/s", id: "e-1", time: "2026-11-21T12:00:30.000Z" },
      ],
      rule_version: hit.correlation.revision,
      rule_set: "r1",
      window: { kind: "sliding", timespan_ms: 60_000, type: "event_count" },
    });
  });

  test("has an id that the title does not change and the logic does", () => {
    const { hit } = setUp();
    const text = (title: string, gte: number) => `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: ${title}
id: burst
level: low
correlation: {type: event_count, rules: [failed-login], group-by: [user_id, server_hostname], timespan: 60s, condition: {gte: ${gte}}}
`;
    expect(bucketAlertId(setUp(login("e", 0), text("Other", 3)).hit, 7)).toBe(bucketAlertId(hit, 7));
    expect(bucketAlertId(setUp(login("e", 0), text("Other", 4)).hit, 7)).not.toBe(bucketAlertId(hit, 7));
    expect(bucketAlertId(hit, 8)).not.toBe(bucketAlertId(hit, 7));
  });

  test("comes in several emissions when the evidence is too much for one, each with an id of its own", () => {
    const { hit, cause } = setUp();
    const ids = Array.from({ length: 3000 }, (_, i) => `${i}-${"x".repeat(100)}`);
    const events = bucketAlerts(hit, bucketOf(ids), cause);
    expect(events.length).toBeGreaterThan(1);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(new Set(events.map(({ subject }) => subject)).size).toBe(1);
    expect(alertsOf(events).flatMap(({ evidence = [] }) => evidence.map(({ id }) => id))).toEqual(ids);
    for (const { data } of events) expect(JSON.stringify(data).length).toBeLessThan(400_000);
    expect(bucketAlerts(hit, bucketOf(ids), cause)).toEqual(events);
  });

  test("has a UUID to correlate by, also when event ids are none", () => {
    const { hit, cause } = setUp();
    const [alert] = alertsOf(bucketAlerts(hit, bucketOf(["first", "e-1"]), cause));
    const [again] = alertsOf(bucketAlerts(hit, bucketOf(["first"]), cause));
    expect(alert?.correlation_id).toMatch(uuid);
    expect(again?.correlation_id).toBe(alert?.correlation_id);
  });
});

describe("the alert of what was judged once its time had passed", () => {
  test("is one emission for one evidence, however often it is judged, and another for another", () => {
    const { hit, cause } = setUp();
    const first = settledAlerts(hit, bucketOf(["a", "b"]), cause);
    expect(settledAlerts(hit, bucketOf(["a", "b"]), cause)).toEqual(first);
    const [other] = settledAlerts(hit, bucketOf(["a", "b", "c"]), cause);
    expect(other?.id).not.toBe(first[0]?.id);
    expect(other?.subject).toBe(first[0]?.subject);
    expect(first[0]?.subject).toBe(bucketAlertId(hit, 7));
  });
});

describe("a rule on trial", () => {
  const text = (mode: string) => `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
auditflow: {mode: ${mode}}
---
title: Burst
id: burst
correlation: {type: event_count, rules: [failed-login], group-by: [user_id], timespan: 60s, condition: {gte: 3}}
auditflow: {mode: ${mode}}
`;
  test("says so, and its alerts are others than those it raises once it is active", () => {
    const [trial, active] = ["shadow", "active"].map((mode) => {
      const { hit, rule, cause } = setUp(login("e-1", 0), text(mode));
      return alertsOf([ruleAlert(rule, cause), ...bucketAlerts(hit, bucketOf(["a"]), cause)]);
    });
    expect(trial?.map(({ mode }) => mode)).toEqual(["shadow", "shadow"]);
    expect(active?.map(({ mode }) => mode)).toEqual([undefined, undefined]);
    const ids = [...(trial ?? []), ...(active ?? [])].map(({ alert_id }) => alert_id);
    expect(new Set(ids).size).toBe(4);
  });
});

describe("the window of an alert", () => {
  const alertOf = (correlation: string) => {
    const text = `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Failures
${correlation}
`;
    const { hit, cause } = setUp(login("e-1", 0), text);
    return alertsOf(bucketAlerts(hit, bucketOf(["a"]), cause))[0];
  };

  test.for([
    ["slides", "", { kind: "sliding" }, "10 events within 60 s of each other"],
    ["is a slot", "{type: tumbling}", { kind: "tumbling" }, "10 events within one period of 60 s"],
    [
      "is a session",
      "{type: session, gap: 5s}",
      { kind: "session", gap_ms: 5000 },
      "10 events within 60 s of each other, no two of them more than 5 s apart",
    ],
  ] as const)("is told when it %s", ([, window, expected, description]) => {
    const alert =
      alertOf(`correlation: {type: event_count, rules: [failed-login], timespan: 60s, condition: {gte: 3}}
${window === "" ? "" : `auditflow: {window: ${window}}`}`);
    expect(alert?.window).toEqual({ ...expected, timespan_ms: 60_000, type: "event_count" });
    expect(alert?.description).toBe(`Failures: ${description}.`);
  });
});

describe("the alert of one event", () => {
  test("is its own group and evidence", () => {
    const { rule, cause } = setUp();
    const event = ruleAlert(rule, cause);
    const [alert] = alertsOf([event]);
    expect(alert).toMatchObject({
      alert_name: "Failed login",
      count: 1,
      evidence: [{ source: cause.event.source, id: "e-1", time: "2026-11-21T12:00:30.000Z" }],
      group_key: "22:/auditflow/source/sshd3:e-1",
      severity: "MEDIUM",
    });
    expect(ruleAlert(rule, cause)).toEqual(event);
    expect(alertsOf([ruleAlert(rule, setUp(login("e-2", 0)).cause)])[0]?.alert_id).not.toBe(alert?.alert_id);
  });

  test.for([
    ["a megabyte in a field", { details: { blob: "x".repeat(1_000_000) } }],
    [
      "a thousand fields",
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, "x".repeat(900)])),
    ],
  ] as const)("carries at most 64 KiB of the event: %s", ([, changes]) => {
    const { rule, cause } = setUp(login("e-1", 0, changes));
    const [alert] = alertsOf([ruleAlert(rule, cause)]);
    expect(JSON.stringify(alert?.raw_event_data).length).toBeLessThanOrEqual(65_536);
    expect(alert?.raw_event_data).toMatchObject({
      truncated: true,
      event_type: "user_login",
      user_id: "root",
    });
  });

  test("invents nothing that the event does not say", () => {
    const bare = login("e-1", 0, {
      user_id: undefined,
      server_hostname: undefined,
      details: undefined,
      source_service: undefined,
    });
    const { rule } = setUp();
    const { fields } = createJudge(compileTestRules())(bare) ?? { fields: {} };
    const [alert] = alertsOf([ruleAlert(rule, { event: bare, time: testNow, fields, ruleSet: "r1" })]);
    expect(alert).toMatchObject({
      triggered_by: { actor_id: null, client_ip: null },
      impacted_resource: { resource_id: null, server_hostname: null },
      source_service_name: "/auditflow/source/sshd",
    });
    expect(alertRaised.data.safeParse(alert).success).toBe(true);
  });
});
