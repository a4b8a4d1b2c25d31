import {
  addressAt,
  contentId,
  eventTypeOf,
  idAt,
  isObject,
  type JsonObject,
  present,
  textAt,
  timeAt,
  valueAt,
} from "./record.ts";
import type { Adapted, RecordMeta } from "./source.ts";

/** Google's Cloud Audit Log entry about the API of a GKE cluster. */
export function isGke(record: unknown): record is JsonObject {
  return isObject(record) && valueAt(record, ["protoPayload", "serviceName"]) === "k8s.io";
}

/** https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog */
export function adaptGke(record: JsonObject, meta: RecordMeta): Adapted {
  const id = idAt(record, "insertId") ?? contentId("gke", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: "gke",
    event_type: eventTypeOf(
      "kubernetes",
      textAt(record, "protoPayload.methodName")?.split(".").at(-1) ?? "audit",
    ),
    user_id: textAt(record, "protoPayload.authenticationInfo.principalEmail"),
    action_result: grpcResultOf(record),
    client_ip: addressAt(
      record,
      "protoPayload.requestMetadata.callerIp",
      "protoPayload.requestMetadata.callerIP",
    ),
    resource: textAt(record, "protoPayload.resourceName"),
    details: present({ method: textAt(record, "protoPayload.methodName") }),
    logsource: { product: "gcp", service: "gcp.audit" },
    original: record,
  });
  return { source: "/auditflow/source/gke", id, time: timeAt(record, "timestamp", "receiveTimestamp"), data };
}

/** The status is that of google.rpc: absent or 0 means OK. */
export function grpcResultOf(record: JsonObject): string {
  const code = valueAt(record, ["protoPayload", "status", "code"]);
  const grants = valueAt(record, ["protoPayload", "authorizationInfo"]);
  const denied = Array.isArray(grants) && grants.some((grant) => valueAt(grant, ["granted"]) === false);
  return denied || (typeof code === "number" && code !== 0) ? "FAILURE" : "SUCCESS";
}
