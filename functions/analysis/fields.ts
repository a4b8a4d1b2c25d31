import { isIP } from "node:net";
import { posix } from "node:path";

import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";

/** What rules see of an event: field names to values; never inherits anything. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The view of an audit event that rules are evaluated on, from weakest to strongest:
 *
 * 1. the fields of `original`, the record a foreign source sent (so `eventName`, `objectRef.resource`);
 * 2. the entries of `details`, lifted (so `protocol`; `details.protocol` works too, as a path);
 * 3. the audit event's own fields;
 * 4. the names events are compared by, whoever sent them: `src_ip` (`details.ip_address`, else
 *    `client_ip`; only when it is an IP address), `resource` (`details.resource`, else the event's own;
 *    paths normalised as POSIX has it, so `/etc//shadow` is `/etc/shadow`), `actor`, `host`, `outcome`.
 *
 * Weaker values never hide stronger ones: `details.event_type` cannot pass itself off as the event's.
 */
export function fieldsOf(data: AuditRecorded): Fields {
  // Without a prototype `__proto__` is a name like any other.
  const fields: Record<string, unknown> = Object.create(null);
  if (isRecord(data.original)) Object.assign(fields, data.original);
  Object.assign(fields, data.details, definedOf(data));
  const resource = textOf(data.details?.["resource"]) ?? textOf(data.resource);
  const address = textOf(data.details?.["ip_address"]) ?? textOf(data.client_ip);
  const derived = {
    resource: resource === undefined ? undefined : normalisePath(resource),
    src_ip: address !== undefined && isIP(address) > 0 ? address : undefined,
    actor: textOf(data.user_id),
    host: textOf(data.server_hostname),
    outcome: outcomeOf(data.action_result),
  };
  return Object.assign(fields, definedOf(derived));
}

function definedOf(values: object): object {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Two ways to write one path are one path; anything that is not absolute is no path of ours. */
function normalisePath(resource: string): string {
  if (!resource.startsWith("/")) return resource;
  const path = posix.normalize(resource).replace(/^\/+/, "/");
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function outcomeOf(result: unknown): string | undefined {
  if (typeof result !== "string") return undefined;
  if (/^(?:success|succeeded|ok|allowed?|granted)$/i.test(result)) return "success";
  return /^(?:fail(?:ure|ed)?|error|denied|deny|refused)$/i.test(result) ? "failure" : "unknown";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
