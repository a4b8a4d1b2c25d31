import { z } from "zod";

import { defineContract } from "../contract.ts";
import { parseInstant } from "../time.ts";

const text = z.string().max(4096);
const instant = z.iso.datetime({ offset: true });

/** Read tolerantly: the predecessor wrote `+00:00Z`. Emitted by us it is always RFC 3339 with one `Z`. */
const legacyInstant = z
  .string()
  .max(64)
  .refine((value) => parseInstant(value) !== undefined, { error: "not a date and time (RFC 3339)" });

/** A reference to an event that justifies an alert: its identity and its event time. */
export const evidence = z.object({ source: text, id: text, time: instant });
export type Evidence = z.infer<typeof evidence>;

/** The predecessor's fourteen fields, verbatim in name and shape. */
const predecessor = {
  alert_id: z.uuid(),
  timestamp: legacyInstant,
  alert_name: text,
  alert_type: text,
  severity: z.enum(["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]),
  description: text,
  source_service_name: text,
  analysis_rule: z.looseObject({ rule_id: text, rule_name: text, rule_description: text.optional() }),
  triggered_by: z.looseObject({
    actor_type: text.optional(),
    actor_id: text.nullable().optional(),
    client_ip: text.nullable().optional(),
  }),
  impacted_resource: z.looseObject({
    resource_type: text.optional(),
    resource_id: text.nullable().optional(),
    server_hostname: text.nullable().optional(),
  }),
  action_observed: text,
  correlation_id: z.uuid().nullable().optional(),
  raw_event_data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({
    tags: z.array(text).optional(),
    environment: text.optional(),
    remediation_guidance: text.optional(),
    playbook_url: text.optional(),
  }),
};

/** What AuditFlow adds; all optional, so that a predecessor's alert is an alert too. */
const additions = {
  status: z.enum(["open", "acknowledged", "in_progress", "resolved", "suppressed"]).optional(),
  count: z.int().positive().optional(),
  first_seen: instant.optional(),
  last_seen: instant.optional(),
  /** The length-prefixed group of the correlation, or of the one event; see `groupKey`. */
  group_key: z.string().max(8192).optional(),
  /** The field values of the group, for people. */
  group: z.record(z.string(), z.string()).optional(),
  /**
   * The events behind this emission that no earlier, recorded emission carried. The alert's evidence
   * is the union over its emissions.
   */
  evidence: z.array(evidence).optional(),
  rule_version: text.optional(),
  window: z.object({ kind: z.enum(["sliding"]), timespan_ms: z.int().positive() }).optional(),
};

const data = z.looseObject({ ...predecessor, ...additions });

export type AlertRaised = z.infer<typeof data>;

export const alertRaised = defineContract({
  type: "io.auditflow.alert.raised.v1",
  description: "A rule held: what was seen, by which rule, on what evidence.",
  data,
  examples: [
    {
      alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
      timestamp: "2026-11-21T12:00:05.000Z",
      alert_name: "Multiple failed logins",
      alert_type: "SECURITY",
      severity: "HIGH",
      description: "Failed logins of root on edge-2.",
      source_service_name: "sshd",
      analysis_rule: { rule_id: "ANLY-SEC-001", rule_name: "Failed login burst" },
      triggered_by: { actor_type: "USER", actor_id: "root", client_ip: "203.0.113.7" },
      impacted_resource: { resource_type: "HOST", resource_id: "edge-2", server_hostname: "edge-2" },
      action_observed: "user_login",
      correlation_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
      raw_event_data: { event_type: "user_login", user_id: "root" },
      metadata: { tags: ["attack.credential_access"] },
      count: 3,
      first_seen: "2026-11-21T12:00:03.120Z",
      last_seen: "2026-11-21T12:00:05.000Z",
      group_key: "4:root6:edge-2",
      group: { user_id: "root", server_hostname: "edge-2" },
      evidence: [{ source: "/auditflow/source/sshd", id: "e-1", time: "2026-11-21T12:00:03.120Z" }],
      rule_version: "3f9a1c2b7d60",
      window: { kind: "sliding", timespan_ms: 300_000 },
    },
  ],
});
