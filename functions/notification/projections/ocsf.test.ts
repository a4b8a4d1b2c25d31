import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { alert, alerts, emptyMembers } from "./alerts.testing.ts";
import { toOcsf } from "./ocsf.ts";

describe("OCSF", () => {
  test("an alert is a Detection Finding", () => {
    const milliseconds = (text: string) => Date.parse(text);
    expect(toOcsf(alert)).toEqual({
      category_uid: 2,
      category_name: "Findings",
      class_uid: 2004,
      class_name: "Detection Finding",
      type_uid: 200_403,
      type_name: "Detection Finding: Close",
      activity_id: 3,
      activity_name: "Close",
      severity_id: 4,
      severity: "High",
      status_id: 4,
      status: "Resolved",
      time: milliseconds(alert.timestamp),
      start_time: milliseconds(alert.first_seen),
      end_time: milliseconds(alert.last_seen),
      count: 3,
      message: alert.description,
      is_alert: false,
      metadata: {
        version: "1.8.0",
        product: { name: "AuditFlow", vendor_name: "AuditFlow" },
        profiles: ["incident"],
        uid: `${alert.alert_id}/2`,
        correlation_uid: alert.correlation_id,
        labels: alert.tags,
        log_source: "sshd",
        logged_time: milliseconds(alert.received_at),
        original_time: alert.timestamp,
      },
      finding_info: {
        uid: alert.alert_id,
        title: "Multiple failed logins",
        desc: alert.description,
        types: ["SECURITY"],
        analytic: {
          type_id: 1,
          type: "Rule",
          uid: "ANLY-SEC-001",
          name: "Failed login burst",
          desc: "Many logins fail.",
          version: "3f9a1c2b7d60",
        },
        attacks: [
          {
            technique: { uid: "T1110" },
            sub_technique: { uid: "T1110.001" },
            tactic: { uid: "TA0006", name: "Credential Access" },
          },
        ],
        created_time: milliseconds(alert.received_at),
        first_seen_time: milliseconds(alert.first_seen),
        last_seen_time: milliseconds(alert.last_seen),
        related_events: [{ uid: "e-1", product_uid: "/auditflow/source/sshd" }],
      },
      evidences: [
        {
          actor: { user: { name: "root" } },
          src_endpoint: { ip: "203.0.113.7" },
          device: { hostname: "edge-2", type_id: 0, type: "Unknown" },
        },
      ],
      device: { hostname: "edge-2", type_id: 0, type: "Unknown" },
      resources: [{ name: "edge-2", type: "HOST" }],
      remediation: { desc: "Block the address." },
      assignee: { name: "ana" },
      verdict_id: 2,
      verdict: "True Positive",
      raw_data: JSON.stringify(alert.raw_event_data),
      unmapped: {
        action_observed: "user_login",
        actor_type: "USER",
        alert_ids: [alert.alert_id],
        environment: "production",
        group: { user_id: "root" },
        revision: 2,
        rule_set: "rules-1",
        window: { kind: "sliding", timespan_ms: 300_000 },
      },
    });
  });

  test("what is required is there for any alert, and nothing is null", () => {
    fc.assert(
      fc.property(alerts, (any) => {
        const finding = toOcsf(any);
        expect(emptyMembers(finding)).toEqual([]);
        expect(finding).toMatchObject({
          activity_id: expect.toSatisfy((id) => [1, 2, 3].includes(id)),
          category_uid: 2,
          class_uid: 2004,
          finding_info: { uid: any.alert_id, title: any.alert_name, analytic: { type_id: 1 } },
          metadata: { version: "1.8.0", product: { name: "AuditFlow", vendor_name: "AuditFlow" } },
          severity_id: expect.toSatisfy((id) => id >= 1 && id <= 5),
          status_id: expect.toSatisfy((id) => id >= 1 && id <= 4),
          time: Date.parse(any.timestamp),
        });
        const { activity_id: activity, type_uid: type } = finding as Record<string, number>;
        expect(type).toBe(200_400 + activity!);
        // Constraints of the objects: an attack names something, an evidence, too; a device has its type.
        const {
          finding_info: { attacks = [] },
          evidences = [],
          device,
          resources = [],
        } = finding as {
          finding_info: { attacks?: object[] };
          evidences?: object[];
          device?: object;
          resources?: object[];
        };
        for (const attack of attacks) expect(Object.keys(attack).length).toBeGreaterThan(0);
        for (const evidence of evidences) expect(Object.keys(evidence).length).toBeGreaterThan(0);
        for (const resource of resources) expect(resource).toHaveProperty("name");
        if (device) expect(device).toHaveProperty("type_id");
      }),
      { numRuns: 300 },
    );
  });

  test.for([
    ["open", 0, 200_401, 1],
    ["open", 3, 200_402, 1],
    ["acknowledged", 1, 200_402, 2],
    ["in_progress", 1, 200_402, 2],
    ["suppressed", 0, 200_401, 3],
    ["resolved", 4, 200_403, 4],
  ] as const)("%s at revision %i is type %i, status %i", ([status, revision, type, statusId]) => {
    const finding = toOcsf({ ...alert, status, revision });
    expect(finding).toMatchObject({ type_uid: type, status_id: statusId });
  });

  test("of several tactics none is attributed to a technique", () => {
    const tags = [
      "attack.t1110",
      "attack.t1078",
      "attack.initial_access",
      "attack.Credential-Access",
      "attack.x",
    ];
    expect(toOcsf({ ...alert, tags })).toMatchObject({
      finding_info: {
        attacks: [
          { technique: { uid: "T1110" } },
          { technique: { uid: "T1078" } },
          { tactic: { uid: "TA0001", name: "Initial Access" } },
          { tactic: { uid: "TA0006", name: "Credential Access" } },
        ],
      },
    });
  });
});
