import { isIP } from "node:net";
import { posix } from "node:path";

import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { logsourceOf } from "../../events/logsource.ts";
import { compileSourceFields } from "./source-fields.ts";

/** What rules see of an event: field names to values; never inherits anything. */
export type Fields = Readonly<Record<string, unknown>>;

const addSourceFields = compileSourceFields();

/**
 * The view of an audit event that rules are evaluated on, from weakest to strongest:
 *
 * 1. the names rules of its log source use for what the record calls otherwise (`cs-method`,
 *    `gcp.audit.method_name`), as the data files under `events/sources` tell;
 * 2. the fields of `original`, the record a foreign source sent (so `eventName`, `objectRef.resource`);
 * 3. the entries of `details`, lifted (so `protocol`; `details.protocol` works too, as a path);
 * 4. the audit event's own fields;
 * 5. the names events are compared by, whoever sent them: `src_ip` (`details.ip_address`, else
 *    `client_ip`; only when it is an IP address), `resource` (`details.resource`, else the event's own;
 *    paths normalised as POSIX has it, so `/etc//shadow` is `/etc/shadow`), `actor`, `host`, `outcome`.
 *
 * Weaker values never hide stronger ones: `details.event_type` cannot pass itself off as the event's. An
 * object that is hidden keeps its members: Okta's `actor.alternateId` can be asked for beside `actor`.
 */
export function fieldsOf(data: AuditRecorded): Fields {
  // Without a prototype `__proto__` is a name like any other.
  const fields: Record<string, unknown> = Object.create(null);
  const { original, details } = data;
  if (isRecord(original)) for (const name in original) fields[name] = original[name];
  if (details) for (const name in details) put(fields, name, details[name]);
  for (const name in data) {
    const value = data[name];
    if (value !== undefined && value !== null) put(fields, name, value);
  }
  putDerived(fields, data);
  const logsource = logsourceOf(data);
  if (logsource) addSourceFields(fields, logsource);
  return fields;
}

function putDerived(fields: Record<string, unknown>, data: AuditRecorded): void {
  const { details } = data;
  const resource = textOf(details?.["resource"]) ?? textOf(data.resource);
  const address = textOf(details?.["ip_address"]) ?? textOf(data.client_ip);
  if (resource !== undefined) put(fields, "resource", normalisePath(resource));
  if (address !== undefined && isIP(address) > 0) put(fields, "src_ip", address);
  putText(fields, "actor", data.user_id);
  putText(fields, "host", data.server_hostname);
  putText(fields, "outcome", outcomeOf(data.action_result));
}

function putText(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") put(fields, name, value);
}

/** Sets a field. What it hides, if that is an object, stays reachable below the name, as with a path. */
function put(fields: Record<string, unknown>, name: string, value: unknown): void {
  const hidden = fields[name];
  fields[name] = value;
  if (hidden === undefined || !isRecord(hidden) || isRecord(value)) return;
  for (const member in hidden) fields[`${name}.${member}`] ??= hidden[member];
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
