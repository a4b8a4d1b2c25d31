import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(1024);

/**
 * One audited action, in the predecessor's words: its JSON is kept verbatim and only ever added to.
 * Readers keep unknown fields, because rules may refer to them.
 */
const data = z.looseObject({
  event_id: z.string().min(1).max(256).optional(),
  timestamp: z.union([z.string().max(64), z.number()]).optional(),
  source_service: text.optional(),
  server_hostname: text.optional(),
  event_type: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/),
  severity: text.optional(),
  user_id: text.optional(),
  action_result: text.optional(),
  client_ip: text.nullable().optional(),
  resource: text.nullable().optional(),
  details: z.record(z.string(), z.unknown()).optional(),

  schema_version: text.optional(),
  tenant: text.optional(),
  session_id: text.optional(),
  correlation_id: text.optional(),
  actor_type: text.optional(),
  tags: z.array(text).max(100).optional(),
  /** The Sigma log source this event belongs to; assigned by the generator, else taken from `event_type`. */
  logsource: z
    .object({ product: text.optional(), category: text.optional(), service: text.optional() })
    .optional(),
  /** Set when the id or the time was missing and had to be made. */
  id_generated: z.boolean().optional(),
  time_generated: z.boolean().optional(),
  /** The record a source sent, verbatim, when it is not an audit event by itself. */
  original: z.unknown().optional(),
});

export type AuditRecorded = z.infer<typeof data>;

export const auditRecorded = defineContract({
  type: "io.auditflow.audit.recorded.v1",
  description: "One audited action on a watched system.",
  data,
  examples: [
    {
      event_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
      timestamp: "2026-11-21T12:00:03.120Z",
      source_service: "sshd",
      server_hostname: "edge-2",
      event_type: "user_login",
      severity: "WARNING",
      user_id: "root",
      action_result: "FAILURE",
      details: { ip_address: "203.0.113.7", protocol: "ssh", reason: "invalid password" },
    },
    {
      timestamp: "2026-11-21T12:01:00Z",
      source_service: "auditd",
      server_hostname: "edge-2",
      event_type: "file_modified",
      severity: "CRITICAL",
      user_id: "deploy",
      action_result: "MODIFIED",
      details: { resource: "/etc/shadow", old_checksum: "5e88…", new_checksum: "9f86…" },
    },
  ],
});
