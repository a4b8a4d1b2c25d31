import { maxDataDepth, parseJson } from "../../../events/json.ts";
import { grpcResultOf } from "./gke.ts";
import {
  addressAt,
  contentId,
  cut,
  eventTypeOf,
  isObject,
  type JsonObject,
  maxId,
  present,
  textAt,
  timeAt,
  valueAt,
} from "./record.ts";
import { type Adapted, adaptOne, defineSource, type RecordMeta } from "./source.ts";

const auditLog = "type.googleapis.com/google.cloud.audit.AuditLog";

/** The audit logs of Google Workspace come through the same door, and rules know them by their own service. */
const services: ReadonlyMap<string, string> = new Map([
  ["admin.googleapis.com", "google_workspace.admin"],
  ["login.googleapis.com", "google_workspace.login"],
]);

/**
 * Google Cloud's audit log entries: one, an array, or what a Pub/Sub push subscription of a log sink posts.
 * https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
 */
export const gcp = defineSource({
  name: "gcp",
  format: "json",
  recognises: isAuditEntry,
  unwrap(document) {
    const data = valueAt(document, ["message", "data"]);
    if (typeof data !== "string" || textAt(document, "subscription") === undefined) return undefined;
    const entry = decodeEntry(data);
    return entry === undefined ? undefined : [entry];
  },
  adapt: adaptOne(
    isAuditEntry,
    'an audit log entry with "protoPayload" and its "methodName", or a Pub/Sub push message that carries one',
    adaptEntry,
  ),
});

function isAuditEntry(record: unknown): record is JsonObject {
  const type = valueAt(record, ["protoPayload", "@type"]);
  if (type !== undefined && type !== auditLog) return false;
  return isObject(record) && textAt(record, "protoPayload.methodName") !== undefined;
}

/** The entry in the base64 text of a Pub/Sub message, if there is JSON in it that could be stored. */
function decodeEntry(data: string): unknown {
  try {
    return parseJson(Buffer.from(data, "base64"), maxDataDepth - 2);
  } catch {
    return undefined;
  }
}

function adaptEntry(record: JsonObject, meta: RecordMeta): Adapted {
  const method = textAt(record, "protoPayload.methodName") ?? "";
  const service = textAt(record, "protoPayload.serviceName");
  const id = entryId(record) ?? contentId("gcp", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: service ?? "gcp",
    // The beginning of a method is that of its service; the end says what was done.
    event_type: eventTypeOf("gcp", ...method.split(".").slice(-3)),
    severity: textAt(record, "severity"),
    user_id: textAt(
      record,
      "protoPayload.authenticationInfo.principalEmail",
      "protoPayload.authenticationInfo.principalSubject",
    ),
    action_result: grpcResultOf(record),
    client_ip: addressAt(
      record,
      "protoPayload.requestMetadata.callerIp",
      "protoPayload.requestMetadata.callerIP",
    ),
    resource: textAt(record, "protoPayload.resourceName"),
    details: present({
      ...workspaceParameters(record),
      method,
      service,
      project: textAt(record, "resource.labels.project_id"),
      user_agent: textAt(record, "protoPayload.requestMetadata.callerSuppliedUserAgent"),
      reason: textAt(record, "protoPayload.status.message"),
    }),
    logsource: { product: "gcp", service: services.get(service ?? "") ?? "gcp.audit" },
    original: record,
  });
  return { source: "/auditflow/source/gcp", id, time: timeAt(record, "timestamp", "receiveTimestamp"), data };
}

/** An `insertId` is unique among the entries of one moment. */
function entryId(record: JsonObject): string | undefined {
  const [insertId, timestamp] = [textAt(record, "insertId"), textAt(record, "timestamp")];
  return insertId === undefined || timestamp === undefined
    ? undefined
    : cut(`${insertId}/${timestamp}`, maxId);
}

/** Google Workspace lists what an event is about as pairs: `{"name": "SETTING_NAME", "value": "…"}`. */
function workspaceParameters(record: JsonObject): JsonObject {
  const list = valueAt(record, ["protoPayload", "metadata", "event", 0, "parameter"]);
  const pairs = (Array.isArray(list) ? list : []).flatMap((each) => {
    const [name, value] = [textAt(each, "name"), textAt(each, "value")];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  return Object.fromEntries(pairs);
}
