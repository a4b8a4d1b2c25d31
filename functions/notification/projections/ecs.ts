import type { AlertDetail, Severity } from "../alert-view.ts";
import { readAttackTags } from "./attack.ts";
import { presentMembers, textOf } from "./present.ts";

/** Elastic asks for a number that grows with the gravity; these are the ones its own alerts use. */
const severities: Readonly<Record<Severity, number>> = {
  INFORMATIONAL: 10,
  LOW: 21,
  MEDIUM: 47,
  HIGH: 73,
  CRITICAL: 99,
};

/** ECS categories by the words that the observed action begins with; others have none. */
const categories: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^user_(login|logout|auth)/, ["authentication"]],
  [/^(user|group|account)_/, ["iam"]],
  [/^file_/, ["file"]],
  [/^(sudo|command|process)/, ["process"]],
  [/^(network|connection|dns)/, ["network"]],
  [/^service_/, ["configuration"]],
];

/**
 * The alert as a document of the Elastic Common Schema. Members that would be null are left out; what ECS
 * has no place for is not told, but for `labels`.
 */
export function toEcs(alert: AlertDetail): object {
  const isUser = alert.actor_type === null || alert.actor_type.toUpperCase() === "USER";
  return presentMembers({
    "@timestamp": alert.timestamp,
    ecs: { version: "8.17.0" },
    message: alert.description,
    tags: alert.tags,
    labels: labelsOf(alert),
    event: eventOf(alert),
    rule: {
      id: alert.rule_id,
      name: alert.rule_name,
      version: alert.rule_version,
      description: textOf(alert.analysis_rule, "rule_description"),
      ruleset: alert.rule_set,
      reference: textOf(alert.metadata, "playbook_url"),
    },
    user: isUser ? { name: alert.actor_id } : undefined,
    service: isUser ? undefined : { name: alert.actor_id },
    source: { ip: alert.client_ip },
    host: { name: alert.server_hostname, hostname: alert.server_hostname },
    file: fileOf(alert),
    related: {
      user: isUser && alert.actor_id !== null ? [alert.actor_id] : [],
      ip: alert.client_ip === null ? [] : [alert.client_ip],
      hosts: alert.server_hostname === null ? [] : [alert.server_hostname],
    },
    threat: threatOf(alert.tags),
  });
}

function eventOf(alert: AlertDetail): object {
  return {
    kind: "alert",
    id: alert.alert_id,
    action: alert.action_observed,
    category: categories.find(([pattern]) => pattern.test(alert.action_observed))?.[1],
    severity: severities[alert.severity],
    provider: alert.source_service_name,
    module: "auditflow",
    created: alert.received_at,
    start: alert.first_seen,
    end: alert.last_seen,
    original: JSON.stringify(alert.raw_event_data),
  };
}

/** ECS knows files and hosts; another kind of resource is a label. */
function fileOf({ resource_id: id }: AlertDetail): object | undefined {
  return id?.startsWith("/") ? { path: id } : undefined;
}

/** Labels are texts. */
function labelsOf(alert: AlertDetail): object {
  return {
    alert_name: alert.alert_name,
    alert_type: alert.alert_type,
    severity: alert.severity,
    status: alert.status,
    disposition: alert.disposition,
    assignee: alert.assignee,
    environment: alert.environment,
    correlation_id: alert.correlation_id,
    resource_type: alert.resource_type,
    resource_id: alert.resource_id,
    count: String(alert.count),
    revision: String(alert.revision),
  };
}

function threatOf(tags: readonly string[]): object | undefined {
  const { techniques, tactics } = readAttackTags(tags);
  if (techniques.length === 0 && tactics.length === 0) return undefined;
  const parents = new Set(techniques.map((uid) => uid.split(".")[0] ?? uid));
  return {
    framework: "MITRE ATT&CK",
    tactic: { id: tactics.map(({ uid }) => uid), name: tactics.map(({ name }) => name) },
    technique: {
      id: [...parents],
      subtechnique: { id: techniques.filter((uid) => uid.includes(".")) },
    },
  };
}
