import type { AuditRecorded } from "./contracts/audit-recorded.ts";
import { nativeCategories } from "./sources/native.ts";

/** The class of log an event belongs to, in Sigma's words; rules state which classes they apply to. */
export interface Logsource {
  readonly product?: string | undefined;
  /** Of several, each is asserted: an `execve` in the audit log is a process creation too. */
  readonly category?: string | readonly string[] | undefined;
  readonly service?: string | undefined;
}

/**
 * The log source of an audit event: the one it states, else the category of its event type. `undefined`
 * when neither is known; then no rule can apply, and analysis refuses the event.
 */
export function logsourceOf({
  logsource,
  event_type,
}: Pick<AuditRecorded, "logsource" | "event_type">): Logsource | undefined {
  if (logsource !== undefined && isStated(logsource)) return logsource;
  const category = nativeCategories.get(event_type);
  return category === undefined ? undefined : { category };
}

/** Whether a log source asserts anything; called for every event, so it allocates nothing. */
function isStated(logsource: Readonly<Record<string, unknown>>): boolean {
  for (const name in logsource) {
    const value = logsource[name];
    if (name !== "definition" && (typeof value === "string" || Array.isArray(value)) && value.length > 0) {
      return true;
    }
  }
  return false;
}
