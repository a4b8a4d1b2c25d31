import { z } from "zod";

import { maxAttributesLength } from "../attributes.ts";
import { defineContract } from "../contract.ts";
import { instantPattern, parseInstant } from "../time.ts";

const text = z.string().max(4096);
/** The predecessor passes on what the event said, and Python writes what is not known as null. */
const maybe = text.nullish();
const uuid = z.uuid({ error: "expected a UUID" });
const instant = z.iso
  .datetime({ offset: true, error: "expected an RFC 3339 date and time", abort: true })
  .refine((value) => parseInstant(value) !== undefined, { error: "expected a date and time that exists" });

/** Read tolerantly: the predecessor wrote `+00:00Z`. Emitted by us it is always RFC 3339 with one `Z`. */
const legacyInstant = z
  .string()
  .max(64)
  .regex(instantPattern, { error: "expected an RFC 3339 date and time", abort: true })
  .refine((value) => parseInstant(value) !== undefined, { error: "expected a date and time that exists" });

/** As long as an attribute of any valid event can be: one that is too long here could never be told of. */
const attribute = z.string().max(maxAttributesLength);

/** A reference to an event that justifies an alert: its identity and its event time. */
const evidence = z.object({ source: attribute, id: attribute, time: instant });
export type Evidence = z.infer<typeof evidence>;

const rule = z
  .looseObject({ rule_id: text, rule_name: text, rule_description: maybe })
  .describe("The rule that held.");

const actor = z
  .looseObject({
    actor_type: maybe,
    actor_id: maybe,
    client_ip: maybe.describe("An IP address; null, or the predecessor's N/A, when it is not known."),
  })
  .describe("Who did it, and from where.");

const impacted = z
  .looseObject({ resource_type: maybe, resource_id: maybe, server_hostname: maybe })
  .describe("What it was done to.");

const metadata = z.looseObject({
  tags: z.array(text).nullish(),
  environment: maybe,
  remediation_guidance: maybe,
  playbook_url: maybe,
});

/** The predecessor's fourteen fields, verbatim in name and shape. */
const predecessor = {
  alert_id: uuid.describe("The same for every event and every replica that arrives at this alert."),
  timestamp: legacyInstant.describe("The event time at which the rule held."),
  alert_name: text.describe("The title of the rule."),
  alert_type: text.describe("SECURITY, or another word."),
  severity: z.enum(["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]),
  description: text,
  source_service_name: maybe.describe("The service whose event was the first evidence."),
  analysis_rule: rule,
  triggered_by: actor,
  impacted_resource: impacted,
  action_observed: text,
  correlation_id: uuid.nullish().describe("The UUID of the first evidence event."),
  raw_event_data: z.record(z.string(), z.unknown()).describe("The first evidence event's data."),
  metadata,
};

const window = z
  .object({
    kind: z.enum(["sliding", "tumbling", "session"]),
    timespan_ms: z.int().positive(),
    gap_ms: z.int().positive().optional().describe("session: a longer gap begins a new window."),
    type: text.optional().describe("The correlation type, such as event_count."),
  })
  .optional()
  .describe("The window of a correlation.");

/** What AuditFlow adds; all optional, so that a predecessor's alert is an alert too. */
const additions = {
  status: z.enum(["open", "acknowledged", "in_progress", "resolved", "suppressed"]).optional(),
  count: z.int().positive().optional().describe("How many events stand behind the alert."),
  first_seen: instant.optional(),
  last_seen: instant.optional(),
  group_key: z
    .string()
    .max(8192)
    .optional()
    .describe("The length-prefixed group of the correlation, or of the one event."),
  group: z.record(z.string(), z.string()).optional().describe("The field values of the group, for people."),
  evidence: z
    .array(evidence)
    .optional()
    .describe(
      "The events behind this emission that no earlier, recorded emission carried; the alert's evidence is the union over its emissions.",
    ),
  mode: z
    .enum(["active", "shadow"])
    .optional()
    .describe("shadow: the rule is on trial; the alert is stored, but nobody is told. active when absent."),
  rule_version: text.optional().describe("Hash of the rule's detection logic."),
  rule_set: text.optional().describe("Hash of the rule set that judged the events."),
  window,
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
      window: { kind: "sliding", timespan_ms: 300_000, type: "event_count" },
    },
    {
      alert_id: "5f4c8f38-9a77-4d2c-8a53-1c3d0f6b9e21",
      timestamp: "2025-08-08T09:30:00+00:00Z",
      alert_name: "A predecessor's alert",
      alert_type: "SECURITY",
      severity: "CRITICAL",
      description: "Its clock, its N/A and its nulls are read as they are.",
      source_service_name: "web",
      analysis_rule: { rule_id: "ANLY-SEC-002", rule_name: "Sensitive file", rule_description: "A file." },
      triggered_by: { actor_type: "USER", actor_id: null, client_ip: "N/A" },
      impacted_resource: { resource_type: "FILE", resource_id: "/etc/shadow", server_hostname: null },
      action_observed: "FILE_MODIFIED",
      raw_event_data: { event_type: "file_modified" },
      metadata: { tags: ["compliance"], environment: "DEVELOPMENT" },
    },
  ],
});
