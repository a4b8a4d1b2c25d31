import type { AuditRecorded } from "./contracts/audit-recorded.ts";

/** The class of log an event belongs to, in Sigma's words; rules state which classes they apply to. */
export interface Logsource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
}

/** The class of each event type of our own; what a foreign source sends is classed by its adapter. */
const categories: ReadonlyMap<string, string> = new Map([
  ["user_login", "authentication"],
  ["user_logout", "authentication"],
  ["sudo_command", "process_creation"],
  ["file_created", "file_event"],
  ["file_modified", "file_change"],
  ["file_deleted", "file_delete"],
  ["service_status_change", "service_status"],
  ["user_account_management", "account_management"],
  ["group_membership_change", "account_management"],
]);

/**
 * The log source of an audit event: the one it states, else the category of its event type. `undefined`
 * when neither is known; then only rules that state no log source at all apply.
 */
export function logsourceOf({
  logsource,
  event_type,
}: Pick<AuditRecorded, "logsource" | "event_type">): Logsource | undefined {
  if (logsource !== undefined && Object.values(logsource).some((value) => value !== undefined)) {
    return logsource;
  }
  const category = categories.get(event_type);
  return category === undefined ? undefined : { category };
}
