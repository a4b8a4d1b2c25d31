import type { AlertDetail, Disposition, Severity, Status } from "../alert-view.ts";
import { readAttackTags } from "./attack.ts";
import { presentMembers, textOf } from "./present.ts";

/** Detection Finding of OCSF 1.8.0. */
const classUid = 2004;
const schemaVersion = "1.8.0";

const severities: Readonly<Record<Severity, readonly [number, string]>> = {
  INFORMATIONAL: [1, "Informational"],
  LOW: [2, "Low"],
  MEDIUM: [3, "Medium"],
  HIGH: [4, "High"],
  CRITICAL: [5, "Critical"],
};

const statuses: Readonly<Record<Status, readonly [number, string]>> = {
  open: [1, "New"],
  acknowledged: [2, "In Progress"],
  in_progress: [2, "In Progress"],
  suppressed: [3, "Suppressed"],
  resolved: [4, "Resolved"],
};

const verdicts: Readonly<Record<Disposition, readonly [number, string]>> = {
  false_positive: [1, "False Positive"],
  true_positive: [2, "True Positive"],
  benign: [5, "Benign"],
  test: [6, "Test"],
  duplicate: [10, "Duplicate"],
};

/**
 * The alert as a Detection Finding (class 2004) of OCSF 1.8.0 with the profile `incident`: what it is now, so
 * a resolved one is a Close, a changed one an Update. Times in epoch milliseconds. Members that would be null
 * are left out; what OCSF has no place for is in `unmapped`.
 */
export function toOcsf(alert: AlertDetail): object {
  const [activityId, activity] = activityOf(alert);
  const [severityId, severity] = severities[alert.severity];
  const [statusId, status] = statuses[alert.status];
  const verdict = alert.disposition === null ? undefined : verdicts[alert.disposition];
  return presentMembers({
    category_uid: 2,
    category_name: "Findings",
    class_uid: classUid,
    class_name: "Detection Finding",
    type_uid: classUid * 100 + activityId,
    type_name: `Detection Finding: ${activity}`,
    activity_id: activityId,
    activity_name: activity,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    time: millisecondsOf(alert.timestamp),
    start_time: millisecondsOf(alert.first_seen),
    end_time: millisecondsOf(alert.last_seen),
    count: alert.count,
    message: alert.description,
    is_alert: alert.status !== "suppressed" && alert.status !== "resolved",
    metadata: metadataOf(alert),
    finding_info: findingOf(alert),
    evidences: evidencesOf(alert),
    device: deviceOf(alert),
    resources: resourcesOf(alert),
    remediation: remediationOf(alert),
    assignee: alert.assignee === null ? undefined : { name: alert.assignee },
    verdict_id: verdict?.[0],
    verdict: verdict?.[1],
    raw_data: JSON.stringify(alert.raw_event_data),
    unmapped: unmappedOf(alert),
  });
}

function activityOf({ status, revision }: AlertDetail): readonly [number, string] {
  if (status === "resolved") return [3, "Close"];
  return revision === 0 ? [1, "Create"] : [2, "Update"];
}

function metadataOf(alert: AlertDetail): object {
  return {
    version: schemaVersion,
    product: { name: "AuditFlow", vendor_name: "AuditFlow" },
    profiles: ["incident"],
    // As the event that told of this state: of the alert, and of how often it was changed.
    uid: `${alert.alert_id}/${alert.revision}`,
    correlation_uid: alert.correlation_id,
    labels: alert.tags,
    log_source: alert.source_service_name,
    logged_time: millisecondsOf(alert.received_at),
    original_time: alert.timestamp,
  };
}

function findingOf(alert: AlertDetail): object {
  return {
    uid: alert.alert_id,
    title: alert.alert_name,
    desc: alert.description,
    types: [alert.alert_type],
    analytic: {
      type_id: 1,
      type: "Rule",
      uid: alert.rule_id,
      name: alert.rule_name,
      desc: textOf(alert.analysis_rule, "rule_description"),
      version: alert.rule_version,
    },
    attacks: attacksOf(alert.tags),
    created_time: millisecondsOf(alert.received_at),
    first_seen_time: millisecondsOf(alert.first_seen),
    last_seen_time: millisecondsOf(alert.last_seen),
    related_events: alert.evidence.map(({ id, source }) => ({ uid: id, product_uid: source })),
  };
}

/** Each technique with the tactic, where there is one only: of several, tags do not say which is whose. */
function attacksOf(tags: readonly string[]): readonly object[] {
  const { techniques, tactics } = readAttackTags(tags);
  const [tactic, ...others] = tactics;
  const isOne = tactic !== undefined && others.length === 0;
  const attacks = techniques.map((uid) => {
    const [technique] = uid.split(".");
    return {
      technique: { uid: technique },
      sub_technique: technique === uid ? undefined : { uid },
      tactic: isOne ? tactic : undefined,
    };
  });
  return isOne && attacks.length > 0 ? attacks : [...attacks, ...tactics.map((each) => ({ tactic: each }))];
}

function evidencesOf(alert: AlertDetail): readonly object[] {
  const actor = actorOf(alert);
  const device = deviceOf(alert);
  const source = alert.client_ip === null ? undefined : { ip: alert.client_ip };
  return actor || source ? [{ actor, src_endpoint: source, device }] : [];
}

function actorOf({ actor_id: id, actor_type: type }: AlertDetail): object | undefined {
  if (id === null) return undefined;
  return type === null || type.toUpperCase() === "USER" ? { user: { name: id } } : { app_name: id };
}

/** `type_id` 0 is Unknown: the kind of machine is not told. */
function deviceOf({ server_hostname: hostname }: AlertDetail): object | undefined {
  return hostname === null ? undefined : { hostname, type_id: 0, type: "Unknown" };
}

function resourcesOf({ resource_id: name, resource_type: type }: AlertDetail): readonly object[] {
  return name === null ? [] : [{ name, type }];
}

function remediationOf({ metadata }: AlertDetail): object | undefined {
  const desc = textOf(metadata, "remediation_guidance");
  const playbook = textOf(metadata, "playbook_url");
  if (desc === undefined && playbook === undefined) return undefined;
  return { desc: desc ?? "See the playbook.", references: playbook === undefined ? [] : [playbook] };
}

function unmappedOf(alert: AlertDetail): object {
  return {
    action_observed: alert.action_observed,
    actor_type: alert.actor_type,
    alert_ids: alert.alert_ids,
    environment: alert.environment,
    group: alert.group,
    revision: alert.revision,
    rule_set: alert.rule_set,
    snoozed_until: alert.snoozed_until,
    window: alert.window,
  };
}

function millisecondsOf(instant: string): number {
  return Date.parse(instant);
}
