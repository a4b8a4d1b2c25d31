import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";
import { type SummaryRow, summaryColumns, toSummary } from "../store/list/summary.ts";
import { loadRoutes } from "./file/load.ts";
import type { Routes } from "./routes.ts";

/** An alert as people see it; `change` replaces single fields. */
export function alertOf(change: Partial<AlertSummary> = {}): AlertSummary {
  return {
    alert_id: "00000000-0000-4000-8000-000000000001",
    timestamp: "2026-11-21T12:00:00.000Z",
    received_at: "2026-11-21T12:00:01.000Z",
    alert_name: "Failed login burst",
    alert_type: "SECURITY",
    severity: "HIGH",
    description: "Failed logins of root on edge-2.",
    source_service_name: "sshd",
    rule_id: "login-burst",
    rule_name: "Failed login burst",
    rule_version: "v1",
    actor_type: "USER",
    actor_id: "root",
    client_ip: "203.0.113.7",
    resource_type: "HOST",
    resource_id: "edge-2",
    server_hostname: "edge-2",
    action_observed: "user_login",
    correlation_id: null,
    tags: ["attack.credential_access"],
    environment: "production",
    group: null,
    count: 3,
    first_seen: "2026-11-21T11:59:00.000Z",
    last_seen: "2026-11-21T12:00:00.000Z",
    status: "open",
    disposition: null,
    assignee: null,
    snoozed_until: null,
    revision: 0,
    ...change,
  };
}

/** Routes of a file that is right; `console` and `webhook` are channels of the environment. */
export function routesOf(text: string): Routes {
  const { routes, problems } = loadRoutes([{ file: "routes.yaml", text }], {
    channelTypes: new Map(),
    opened: ["console", "webhook", "pager", "chat"],
  });
  if (!routes) throw new Error(JSON.stringify(problems, null, 2));
  return routes;
}

/** Stores an episode as new as it can be, and answers it as it is stored. */
export async function insertEpisode(
  sql: postgres.ISql,
  change: Partial<AlertSummary> & Pick<AlertSummary, "alert_id">,
): Promise<AlertSummary> {
  const alert = alertOf(change);
  const rows = await sql<SummaryRow[]>`
    with inserted as (
      insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count, status,
        alert_name, alert_type, severity, description, source_service_name, rule_id, rule_name, rule_version,
        actor_type, actor_id, server_hostname, action_observed, environment)
      values (${alert.alert_id}, now(), ${alert.alert_id}, now(), now(), now(), ${alert.count}, ${alert.status},
        ${alert.alert_name}, ${alert.alert_type}, ${alert.severity}, ${alert.description},
        ${alert.source_service_name}, ${alert.rule_id}, ${alert.rule_name}, ${alert.rule_version},
        ${alert.actor_type}, ${alert.actor_id}, ${alert.server_hostname}, ${alert.action_observed},
        ${alert.environment})
      returning *)
    select ${summaryColumns(sql)} from inserted as episode`;
  return rows.map(toSummary)[0] ?? alert;
}

/** Makes the given time pass for all that routing remembers. */
export async function letPass(sql: postgres.ISql, interval: string): Promise<void> {
  await sql`update notification_groups set due_at = due_at - ${interval}::text::interval,
    not_before = not_before - ${interval}::text::interval,
    last_told_at = last_told_at - ${interval}::text::interval`;
  await sql`update notification_group_members set added_at = added_at - ${interval}::text::interval`;
}
