import { describe, expect, test } from "vitest";

import type { Contract } from "./contract.ts";
import { contracts } from "./contracts.ts";
import { alertRaised } from "./contracts/alert-raised.ts";
import { type AlertUpdated, alertUpdated } from "./contracts/alert-updated.ts";
import { auditRecorded } from "./contracts/audit-recorded.ts";
import { eventRejected, maxRejectedBodyBytes } from "./contracts/event-rejected.ts";
import { type NotificationDelivered, notificationDelivered } from "./contracts/notification-delivered.ts";
import { type NotificationFailed, notificationFailed } from "./contracts/notification-failed.ts";

function problemsOf(contract: Contract, data: unknown): readonly string[] {
  const parsed = contract.data.safeParse(data);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

test("types are unique, and each is a reversed domain, an entity, a participle and a version", () => {
  const types = contracts.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  for (const type of types) expect(type).toMatch(/^io\.auditflow\.[a-z]+\.[a-z]+ed\.v1$/);
});

describe("an audit event of the predecessor", () => {
  const predecessor = {
    event_id: "1c2a7f1e-3b57-4d58-9d55-6f6f2d1c9c11",
    timestamp: "2025-08-08T09:30:00.123456Z",
    source_service: "audit-event-generator",
    server_hostname: "prod-web-01",
    event_type: "service_status_change",
    severity: "INFO",
    user_id: "devops_admin",
    action_result: "STARTED",
    details: { resource: "nginx.service", previous_state: "FAILED", size_change_bytes: -12 },
  };

  test.for([
    ["as its generator writes it", {}],
    ["with a client_ip and a resource at the top", { client_ip: "10.0.0.1", resource: "/etc/passwd" }],
    [
      "with None for everything that is optional",
      {
        event_id: null,
        timestamp: null,
        source_service: null,
        server_hostname: null,
        severity: null,
        user_id: null,
        action_result: null,
        client_ip: null,
        resource: null,
        details: null,
      },
    ],
    ["with an epoch for its time", { timestamp: 1_754_645_400 }],
    ["with the clock of its alerts", { timestamp: "2025-08-08T09:30:00+00:00Z" }],
    ["with fields nobody knows", { colour: "red", nested: { a: [1] } }],
  ] as const)("%s is kept verbatim", ([, changes]) => {
    const data = { ...predecessor, ...changes };
    expect(auditRecorded.data.parse(data)).toEqual(data);
  });

  test("needs nothing but its type", () => {
    expect(problemsOf(auditRecorded, { event_type: "sudo_command" })).toEqual([]);
    expect(problemsOf(auditRecorded, {})).toEqual([
      "event_type: Invalid input: expected string, received undefined",
    ]);
  });

  test.for([
    [
      "event_type",
      "with space",
      'event_type: expected a name such as "user_login": a letter, then up to 63 letters, digits, "_", "." or "-"',
    ],
    ["event_type", "x".repeat(65), /^event_type: expected a name/],
    ["event_id", "", /^event_id: Too small/],
    ["event_id", "x".repeat(257), /^event_id: Too big/],
    ["user_id", "x".repeat(1025), /^user_id: Too big/],
    ["user_id", 5, /^user_id: Invalid input: expected string, received number/],
    ["details", [], /^details: Invalid input: expected record, received array/],
    ["details", "text", /^details: Invalid input: expected record/],
    ["tags", Array.from({ length: 101 }, () => "a"), /^tags: Too big/],
    ["count", 0, /^count: Too small/],
    ["timestamp", true, /^timestamp: Invalid input/],
  ] as const)("whose %s is wrong is refused, and told why", ([name, value, problem]) => {
    const [first, ...more] = problemsOf(auditRecorded, { ...predecessor, [name]: value });
    expect(more).toEqual([]);
    expect(first).toMatch(problem);
  });
});

describe("an alert of the predecessor", () => {
  const predecessor = {
    alert_id: "5f4c8f38-9a77-4d2c-8a53-1c3d0f6b9e21",
    timestamp: "2025-08-08T09:30:00+00:00Z",
    alert_name: "Multiple Failed Login Attempts",
    alert_type: "SECURITY",
    severity: "CRITICAL",
    description: "Many failed logins.",
    source_service_name: "audit-event-generator",
    analysis_rule: {
      rule_id: "ANLY-SEC-001",
      rule_name: "Failed Login Burst Detection",
      rule_description: "Many.",
    },
    triggered_by: { actor_type: "USER", actor_id: "attacker_bob", client_ip: "N/A" },
    impacted_resource: { resource_type: "SERVER", resource_id: "prod-db-02", server_hostname: "prod-db-02" },
    action_observed: "LOGIN_FAILURE",
    correlation_id: "1c2a7f1e-3b57-4d58-9d55-6f6f2d1c9c11",
    raw_event_data: { event_type: "user_login" },
    metadata: {
      tags: ["brute-force"],
      environment: "DEVELOPMENT",
      remediation_guidance: "Look.",
      playbook_url: "https://example.com/p",
    },
  };

  test.for([
    ["as it is", {}],
    ["without a correlation_id", { correlation_id: undefined }],
    ["with None for its correlation_id", { correlation_id: null }],
    [
      "with None for what the event left out",
      {
        source_service_name: null,
        triggered_by: { actor_type: "USER", actor_id: null, client_ip: null },
        impacted_resource: { resource_type: "SERVER", resource_id: null, server_hostname: null },
      },
    ],
    [
      "without what the event left out",
      { source_service_name: undefined, triggered_by: {}, impacted_resource: {} },
    ],
    ["with empty metadata", { metadata: {} }],
  ] as const)("%s is an alert", ([, changes]) => {
    const data = { ...predecessor, ...changes };
    expect(alertRaised.data.parse(data)).toEqual(data);
  });

  test.for([
    ["alert_id", "not-a-uuid", "alert_id: expected a UUID"],
    ["alert_id", undefined, "alert_id: expected a UUID"],
    ["alert_id", null, "alert_id: expected a UUID"],
    ["correlation_id", "e-1", "correlation_id: expected a UUID"],
    ["timestamp", "yesterday", "timestamp: expected an RFC 3339 date and time"],
    ["timestamp", "2025-02-30T09:30:00Z", "timestamp: expected a date and time that exists"],
    [
      "severity",
      "WARNING",
      'severity: Invalid option: expected one of "INFORMATIONAL"|"LOW"|"MEDIUM"|"HIGH"|"CRITICAL"',
    ],
    ["raw_event_data", null, "raw_event_data: Invalid input: expected record, received null"],
    ["analysis_rule", {}, "analysis_rule.rule_id: Invalid input: expected string, received undefined"],
    ["count", 0, "count: Too small: expected number to be >0"],
    ["first_seen", "2025-08-08", "first_seen: expected an RFC 3339 date and time"],
  ] as const)("whose %s is %s is refused, and told why", ([name, value, problem]) => {
    expect(problemsOf(alertRaised, { ...predecessor, [name]: value })[0]).toBe(problem);
  });
});

test("a rejected event of the largest size that is kept fits into what a function accepts", () => {
  const request = { headers: {}, body_base64: Buffer.alloc(maxRejectedBodyBytes).toString("base64") };
  const data = { code: "X", detail: "", function: "analysis", event: {}, request };
  expect(problemsOf(eventRejected, data)).toEqual([]);
  expect(JSON.stringify(data).length).toBeLessThan(1024 * 1024 - 64 * 1024);
  request.body_base64 = Buffer.alloc(maxRejectedBodyBytes + 3).toString("base64");
  expect(problemsOf(eventRejected, data)).not.toEqual([]);
});

describe("what notification says", () => {
  const update: AlertUpdated = {
    alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
    revision: 2,
    changed_at: "2026-11-21T12:04:00Z",
    changed_by: { type: "user", id: "ana" },
    before: { status: "acknowledged" },
    after: { status: "resolved", disposition: "false_positive" },
  };
  const delivered: NotificationDelivered = {
    delivery_id: "d-1",
    alert_id: update.alert_id,
    channel: "on-call",
    attempt: 1,
    delivered_at: "2026-11-21T12:04:00Z",
  };
  const failed: NotificationFailed = {
    delivery_id: "d-1",
    alert_id: update.alert_id,
    channel: "on-call",
    attempt: 3,
    failed_at: "2026-11-21T12:04:00Z",
    code: "CHANNEL_REFUSED",
    detail: "The receiver answered 410.",
    final: true,
  };

  test("holds with the least that is required", () => {
    expect(problemsOf(alertUpdated, update)).toEqual([]);
    expect(problemsOf(notificationDelivered, delivered)).toEqual([]);
    expect(problemsOf(notificationFailed, failed)).toEqual([]);
  });

  test.for([
    ["a change nobody made", alertUpdated, { ...update, changed_by: undefined }, /^changed_by: /],
    [
      "a change to an unknown status",
      alertUpdated,
      { ...update, after: { status: "gone" } },
      /^after\.status: /,
    ],
    ["revision 0", alertUpdated, { ...update, revision: 0 }, /^revision: Too small/],
    ["a delivery to no channel", notificationDelivered, { ...delivered, channel: "" }, /^channel: Too small/],
    [
      "a delivery at no time",
      notificationDelivered,
      { ...delivered, delivered_at: "now" },
      /^delivered_at: expected an RFC 3339/,
    ],
    [
      "a failure without a reason",
      notificationFailed,
      { ...failed, code: "oops" },
      /^code: expected a code such as/,
    ],
    ["a failure that is perhaps final", notificationFailed, { ...failed, final: undefined }, /^final: /],
    ["a status that is none", notificationFailed, { ...failed, status: 42 }, /^status: Too small/],
  ] as const)("%s is refused", ([, contract, data, problem]) => {
    expect(problemsOf(contract, data)[0]).toMatch(problem);
  });
});
