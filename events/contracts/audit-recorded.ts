import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(1024);
/** Python senders write what they do not know as null. */
const maybe = text.nullish();

const eventType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
    error: 'expected a name such as "user_login": a letter, then up to 63 letters, digits, "_", "." or "-"',
  })
  .describe("What was done: user_login, sudo_command, file_modified, or a name of the sender's own.");

const logsource = z
  .looseObject({
    product: text.optional(),
    category: z
      .union([text, z.array(text).max(16)])
      .optional()
      .describe("Of several, each is asserted."),
    service: text.optional(),
  })
  .describe("The Sigma log source this event belongs to; left out, it follows from event_type.");

/** The predecessor's fields, verbatim in name and shape. */
const predecessor = {
  event_id: z.string().min(1).max(256).nullish().describe("The sender's id of the event."),
  timestamp: z
    .union([z.string().max(64), z.number()])
    .nullish()
    .describe("When it happened: RFC 3339, or an epoch number in seconds or milliseconds."),
  source_service: maybe.describe("The service that recorded the action."),
  server_hostname: maybe.describe("The host it happened on."),
  event_type: eventType,
  severity: maybe.describe("The sender's own grading, such as INFO, WARNING or CRITICAL."),
  user_id: maybe.describe("Who did it."),
  action_result: maybe.describe(
    "How it ended: SUCCESS, FAILURE, MODIFIED, STARTED, STOPPED, CREATED, or another word.",
  ),
  client_ip: maybe.describe("Where it came from; `details.ip_address` is read first."),
  resource: maybe.describe("What it was done to; `details.resource` is read first."),
  details: z.record(z.string(), z.unknown()).nullish().describe("Whatever belongs to this type of event."),
};

/** What AuditFlow adds; all optional, so that a predecessor's event is an audit event too. */
const additions = {
  schema_version: maybe,
  tenant: maybe,
  count: z.int().positive().nullish().describe("How many equal actions this one event stands for."),
  session_id: maybe,
  correlation_id: maybe,
  trace_id: maybe,
  actor_type: maybe,
  target: z
    .looseObject({ type: maybe, id: maybe })
    .nullish()
    .describe("What the action aimed at, when it has an identity."),
  tags: z.array(text).max(100).nullish(),
  redacted: z
    .array(text)
    .max(1000)
    .nullish()
    .describe("JSON Pointers to what was removed before it was sent."),
  logsource: logsource.optional(),
  id_generated: z.boolean().optional().describe("The id was missing and had to be made."),
  time_generated: z.boolean().optional().describe("The time was missing and had to be made."),
  original: z
    .unknown()
    .optional()
    .describe("The record a source sent, verbatim, when it is no audit event by itself."),
};

/**
 * One audited action, in the predecessor's words: its JSON is kept verbatim and only ever added to.
 * Readers keep unknown fields, because rules may refer to them.
 */
const data = z.looseObject({ ...predecessor, ...additions });

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
    { event_type: "user_login", user_id: null, client_ip: null, details: {} },
  ],
});
