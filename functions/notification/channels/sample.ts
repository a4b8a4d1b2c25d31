import type { Message, MessageAlert } from "./channel.ts";

const alert: MessageAlert = {
  alert_id: "00000000-0000-4000-8000-000000000001",
  alert_name: "Many failed logins, then one that succeeded",
  alert_type: "brute_force",
  severity: "HIGH",
  description: "Ten logins as root failed within a minute before one succeeded.",
  source_service_name: "sshd",
  rule_id: "ssh-bruteforce-success",
  rule_name: "SSH brute force that succeeded",
  rule_version: "1",
  actor_type: "user",
  actor_id: "root",
  client_ip: "203.0.113.9",
  resource_type: "server",
  resource_id: "bastion-1",
  server_hostname: "bastion-1",
  action_observed: "login",
  tags: ["attack.t1110"],
  environment: "production",
  count: 11,
  first_seen: "2026-01-15T12:00:00.000Z",
  last_seen: "2026-01-15T12:00:48.000Z",
  status: "open",
};

const others: readonly Partial<MessageAlert>[] = [
  { severity: "CRITICAL", alert_name: "Audit log switched off", count: 1 },
  {},
  { severity: "LOW", alert_name: "Login at an unusual hour", actor_id: "deploy", count: 2 },
];

/** An alert that nobody raised, or a group of them, to see what a channel makes of it. */
export function sampleMessage(
  type: Message["type"],
  { group = false }: { readonly group?: boolean } = {},
): Message {
  const alerts = others.map((other, index) => ({
    ...alert,
    ...other,
    alert_id: `00000000-0000-4000-8000-00000000000${index + 1}`,
  }));
  const [gravest = alert] = alerts;
  const isGroup = group || type === "alert.digest";
  return {
    type,
    timestamp: "2026-01-15T12:01:00.000Z",
    data: isGroup ? gravest : { ...alert, ...(type === "alert.resolved" && { status: "resolved" }) },
    ...(isGroup && {
      alerts,
      group: { route: "default", values: { host: "bastion-1" }, total: alerts.length },
    }),
    url: "https://auditflow.example.org/alerts/00000000-0000-4000-8000-000000000001",
  };
}
