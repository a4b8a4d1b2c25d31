import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { alert, alerts, emptyMembers } from "./alerts.testing.ts";
import { toEcs } from "./ecs.ts";

describe("ECS", () => {
  test("an alert is an event of kind alert", () => {
    expect(toEcs(alert)).toEqual({
      "@timestamp": "2026-11-21T12:00:05.000Z",
      ecs: { version: "8.17.0" },
      message: alert.description,
      tags: alert.tags,
      labels: {
        alert_name: "Multiple failed logins",
        alert_type: "SECURITY",
        severity: "HIGH",
        status: "resolved",
        disposition: "true_positive",
        assignee: "ana",
        environment: "production",
        correlation_id: alert.correlation_id,
        resource_type: "HOST",
        resource_id: "edge-2",
        count: "3",
        revision: "2",
      },
      event: {
        kind: "alert",
        id: alert.alert_id,
        action: "user_login",
        category: ["authentication"],
        severity: 73,
        provider: "sshd",
        module: "auditflow",
        created: alert.received_at,
        start: alert.first_seen,
        end: alert.last_seen,
        original: JSON.stringify(alert.raw_event_data),
      },
      rule: {
        id: "ANLY-SEC-001",
        name: "Failed login burst",
        version: "3f9a1c2b7d60",
        description: "Many logins fail.",
        ruleset: "rules-1",
      },
      user: { name: "root" },
      source: { ip: "203.0.113.7" },
      host: { name: "edge-2", hostname: "edge-2" },
      related: { user: ["root"], ip: ["203.0.113.7"], hosts: ["edge-2"] },
      threat: {
        framework: "MITRE ATT&CK",
        tactic: { id: ["TA0006"], name: ["Credential Access"] },
        technique: { id: ["T1110"], subtechnique: { id: ["T1110.001"] } },
      },
    });
  });

  test("nothing is null in any alert, and what identifies it is there", () => {
    fc.assert(
      fc.property(alerts, (any) => {
        const document = toEcs(any);
        expect(emptyMembers(document)).toEqual([]);
        expect(document).toMatchObject({
          "@timestamp": any.timestamp,
          event: { kind: "alert", id: any.alert_id, severity: expect.any(Number) },
          rule: { id: any.rule_id, name: any.rule_name },
        });
      }),
      { numRuns: 300 },
    );
  });

  test("a file is a file, and who is no user is a service", () => {
    expect(
      toEcs({
        ...alert,
        resource_id: "/etc/passwd",
        actor_type: "SERVICE",
        action_observed: "file_modified",
      }),
    ).toMatchObject({
      file: { path: "/etc/passwd" },
      service: { name: "root" },
      event: { category: ["file"] },
    });
  });
});
