import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";

/** An audit event of about 700 bytes, as a system that watches logins and commands sends it. */
export const sampleEvent = createEvent(auditRecorded, {
  id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
  source: "/auditflow/source/sshd",
  time: "2026-11-21T12:00:03.120Z",
  subject: "user_login/root",
  extensions: {
    partitionkey: "7b1f0c2d",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  },
  data: {
    event_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
    timestamp: "2026-11-21T12:00:03.120Z",
    source_service: "sshd",
    server_hostname: "edge-2.example.net",
    event_type: "user_login",
    severity: "WARNING",
    user_id: "root",
    action_result: "FAILURE",
    session_id: "c0ffee00-1111-4222-8333-444455556666",
    tags: ["production", "edge", "ssh"],
    logsource: { product: "auditflow", category: "authentication" },
    details: {
      ip_address: "203.0.113.7",
      port: 52_114,
      protocol: "ssh",
      method: "password",
      reason: "invalid password",
      message: "Failed password for root from 203.0.113.7 port 52114 ssh2",
      geo: { country: "NL", city: "Amsterdam" },
    },
  },
});
