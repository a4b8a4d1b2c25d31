/** Every name a template may use; `group.values.<label>` stands for a label that the alerts are grouped by. */
export const templateNames: readonly string[] = [
  "type",
  "timestamp",
  "url",
  "title",
  "text",
  "alerts",
  "total",
  "group.route",
  ...[
    "alert_id",
    "timestamp",
    "received_at",
    "alert_name",
    "alert_type",
    "severity",
    "description",
    "source_service_name",
    "rule_id",
    "rule_name",
    "rule_version",
    "actor_type",
    "actor_id",
    "client_ip",
    "resource_type",
    "resource_id",
    "server_hostname",
    "action_observed",
    "correlation_id",
    "tags",
    "environment",
    "group",
    "count",
    "first_seen",
    "last_seen",
    "status",
    "disposition",
    "assignee",
    "snoozed_until",
    "revision",
  ].map((field) => `alert.${field}`),
];

const groupLabel = /^group\.values\.[^\s.{}|]+(?:\.[^\s.{}|]+)*$/;

/** Whether a template may use the name. */
export function isTemplateName(name: string): boolean {
  return templateNames.includes(name) || groupLabel.test(name);
}
