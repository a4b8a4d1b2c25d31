import * as fc from "fast-check";

import { type AlertDetail, dispositions, severities, statuses } from "../alert-view.ts";

/** An alert that says everything. */
export const alert: AlertDetail = {
  alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
  timestamp: "2026-11-21T12:00:05.000Z",
  received_at: "2026-11-21T12:00:06.100Z",
  alert_name: "Multiple failed logins",
  alert_type: "SECURITY",
  severity: "HIGH",
  description: "Failed logins of root on edge-2.",
  source_service_name: "sshd",
  rule_id: "ANLY-SEC-001",
  rule_name: "Failed login burst",
  rule_version: "3f9a1c2b7d60",
  actor_type: "USER",
  actor_id: "root",
  client_ip: "203.0.113.7",
  resource_type: "HOST",
  resource_id: "edge-2",
  server_hostname: "edge-2",
  action_observed: "user_login",
  correlation_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
  tags: ["attack.credential-access", "attack.t1110.001", "team-a"],
  environment: "production",
  group: { user_id: "root" },
  count: 3,
  first_seen: "2026-11-21T12:00:03.120Z",
  last_seen: "2026-11-21T12:00:05.000Z",
  status: "resolved",
  disposition: "true_positive",
  assignee: "ana",
  snoozed_until: null,
  revision: 2,
  analysis_rule: { rule_id: "ANLY-SEC-001", rule_description: "Many logins fail." },
  triggered_by: { actor_id: "root" },
  impacted_resource: { server_hostname: "edge-2" },
  metadata: { tags: [], remediation_guidance: "Block the address.", playbook_url: null },
  raw_event_data: { event_type: "user_login", user_id: "root", note: null },
  rule_set: "rules-1",
  window: { kind: "sliding", timespan_ms: 300_000 },
  evidence: [{ source: "/auditflow/source/sshd", id: "e-1", time: "2026-11-21T12:00:03.120Z" }],
  history: [],
  deliveries: [],
  alert_ids: ["9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b"],
};

const maybe = fc.option(fc.string({ minLength: 1 }));
const instant = fc
  .date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());
const tag = fc.oneof(
  fc.string(),
  fc.constantFrom("attack.t1110", "attack.T1110.001", "attack.impact", "attack.__proto__", "attack.x"),
);

/** Alerts of any kind, from those that say everything to those that say nearly nothing. */
export const alerts: fc.Arbitrary<AlertDetail> = fc
  .record({
    timestamp: instant,
    received_at: instant,
    first_seen: instant,
    last_seen: instant,
    severity: fc.constantFrom(...severities),
    status: fc.constantFrom(...statuses),
    disposition: fc.option(fc.constantFrom(...dispositions)),
    assignee: maybe,
    source_service_name: maybe,
    rule_version: maybe,
    rule_set: maybe,
    actor_type: maybe,
    actor_id: maybe,
    client_ip: fc.option(fc.ipV4()),
    resource_type: maybe,
    resource_id: maybe,
    server_hostname: maybe,
    correlation_id: fc.option(fc.uuid()),
    environment: maybe,
    group: fc.option(fc.dictionary(fc.string(), fc.string())),
    tags: fc.array(tag),
    metadata: fc.dictionary(fc.string(), fc.jsonValue()),
    raw_event_data: fc.dictionary(fc.string(), fc.jsonValue()),
    window: fc.option(fc.constant({ kind: "sliding" })),
    revision: fc.nat(),
    count: fc.integer({ min: 1 }),
    evidence: fc.array(fc.record({ source: fc.string(), id: fc.string({ minLength: 1 }), time: instant })),
  })
  .map((parts) => ({ ...alert, ...parts }));

/** Every member that is null or undefined, however deep. */
export function emptyMembers(value: unknown, path = ""): readonly string[] {
  if (value === null || value === undefined) return [path];
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, member]) => emptyMembers(member, `${path}/${name}`));
}
