/** How grave an alert is, gravest last. */
export const severities = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;
export type Severity = (typeof severities)[number];

export const statuses = ["open", "acknowledged", "in_progress", "resolved", "suppressed"] as const;
export type Status = (typeof statuses)[number];

export const dispositions = ["true_positive", "benign", "false_positive", "duplicate", "test"] as const;
export type Disposition = (typeof dispositions)[number];

/**
 * An alert as people see it in lists, in messages and in the API: one episode, under the predecessor's
 * names. Times are RFC 3339 with milliseconds and `Z`.
 */
export interface AlertSummary {
  readonly alert_id: string;
  readonly timestamp: string;
  readonly received_at: string;
  readonly alert_name: string;
  readonly alert_type: string;
  readonly severity: Severity;
  readonly description: string;
  readonly source_service_name: string | null;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly rule_version: string | null;
  readonly actor_type: string | null;
  readonly actor_id: string | null;
  readonly client_ip: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly server_hostname: string | null;
  readonly action_observed: string;
  readonly correlation_id: string | null;
  readonly tags: readonly string[];
  readonly environment: string | null;
  readonly group: Readonly<Record<string, string>> | null;
  /** Distinct events behind it. */
  readonly count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly status: Status;
  readonly disposition: Disposition | null;
  readonly assignee: string | null;
  readonly snoozed_until: string | null;
  /** Counts the changes people made, from 0. */
  readonly revision: number;
}

/** One change of an alert's life cycle. */
export interface AlertChange {
  readonly change_id: string;
  readonly alert_id: string;
  readonly revision: number;
  readonly action: string;
  readonly changed_at: string;
  readonly changed_by: { readonly type: "user" | "rule" | "system"; readonly id: string };
  readonly reason: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** A message to people on its way, or what became of it. */
export interface DeliveryView {
  readonly delivery_id: string;
  readonly alert_ids: readonly string[];
  readonly channel: string;
  readonly kind: string;
  readonly route: string | null;
  readonly status: "pending" | "delivered" | "failed" | "muted" | "discarded";
  readonly muted_by: string | null;
  readonly attempts: number;
  readonly created_at: string;
  readonly due_at: string;
  readonly finished_at: string | null;
  readonly last_error: string | null;
}

/** One attempt to deliver a message. */
export interface DeliveryAttempt {
  readonly attempt: number;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly outcome: "delivered" | "again" | "failed";
  readonly status_code: number | null;
  readonly response: string | null;
  readonly idempotency_key: string;
}

/** Everything about one alert. */
export interface AlertDetail extends AlertSummary {
  readonly analysis_rule: Readonly<Record<string, unknown>>;
  readonly triggered_by: Readonly<Record<string, unknown>>;
  readonly impacted_resource: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly raw_event_data: Readonly<Record<string, unknown>>;
  readonly rule_set: string | null;
  readonly window: Readonly<Record<string, unknown>> | null;
  /** The first thousand by time; `count` tells how many there are. */
  readonly evidence: readonly { readonly source: string; readonly id: string; readonly time: string }[];
  readonly history: readonly AlertChange[];
  readonly deliveries: readonly DeliveryView[];
  /** The chain of ids: the alerts that were joined into this one, the first being the one it is named after. */
  readonly alert_ids: readonly string[];
}
