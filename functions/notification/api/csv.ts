import type { AlertSummary } from "../alert-view.ts";

/** The columns of an export, in this order; a new one comes last. */
export const csvColumns = [
  "alert_id",
  "timestamp",
  "first_seen",
  "last_seen",
  "received_at",
  "severity",
  "status",
  "disposition",
  "assignee",
  "snoozed_until",
  "alert_name",
  "alert_type",
  "description",
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
  "source_service_name",
  "correlation_id",
  "environment",
  "tags",
  "group",
  "count",
  "revision",
] as const satisfies readonly (keyof AlertSummary)[];

export const csvHeader = `${csvColumns.join(",")}\r\n`;

/** An alert as one line of CSV (RFC 4180). */
export function toCsvLine(alert: AlertSummary): string {
  return `${csvColumns.map((column) => toCell(toText(alert[column]))).join(",")}\r\n`;
}

function toText(value: AlertSummary[keyof AlertSummary]): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.join(" ");
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

/**
 * A cell. What a spreadsheet would take for a formula gets an apostrophe in front: whoever can put words
 * into an event must not be able to run something at the desk of whoever opens the export.
 */
function toCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
