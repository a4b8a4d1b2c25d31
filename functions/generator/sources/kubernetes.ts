import { diagnosticOf } from "./aks.ts";
import { adaptGke, isGke } from "./gke.ts";
import {
  addressAt,
  contentId,
  cut,
  eventTypeOf,
  isObject,
  type JsonObject,
  maxId,
  maxText,
  present,
  refuseRecord,
  textAt,
  timeAt,
  valueAt,
} from "./record.ts";
import { type Adapted, defineSource, type RecordMeta } from "./source.ts";

const apiGroup = "audit.k8s.io/";

/**
 * The audit log of a Kubernetes API server: what its webhook backend posts (an `EventList`) and its log
 * backend writes, also in the wrappings of AKS and GKE.
 * https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
 */
export const kubernetes = defineSource({
  name: "kubernetes",
  format: "json",
  recognises: (record) => isAuditEvent(diagnosticOf(record)?.log ?? record) || isGke(record),
  unwrap(document) {
    if (!isObject(document) || document["kind"] !== "EventList") return undefined;
    const { items } = document;
    return Array.isArray(items) ? items : undefined;
  },
  adapt(record, meta) {
    if (isGke(record)) return [adaptGke(record, meta)];
    const diagnostic = diagnosticOf(record);
    const event = diagnostic?.log ?? record;
    if (!isAuditEvent(event)) {
      throw refuseRecord(
        record,
        `an Event or EventList of ${apiGroup}v1, or such an Event as AKS or GKE wrap it`,
      );
    }
    return [adaptAuditEvent(event, { meta, envelope: diagnostic?.envelope })];
  },
});

/** Log pipelines drop `apiVersion` now and then; an Event of another API has no `verb` and no `auditID`. */
function isAuditEvent(record: unknown): record is JsonObject {
  if (!isObject(record) || record["kind"] !== "Event") return false;
  const { apiVersion } = record;
  if (apiVersion !== undefined) return typeof apiVersion === "string" && apiVersion.startsWith(apiGroup);
  return typeof record["verb"] === "string" || typeof record["auditID"] === "string";
}

function adaptAuditEvent(
  event: JsonObject,
  { meta, envelope }: { readonly meta: RecordMeta; readonly envelope: JsonObject | undefined },
): Adapted {
  const id = auditIdOf(event) ?? contentId("kubernetes", event, meta.repetition());
  const code = valueAt(event, ["responseStatus", "code"]);
  const data = present({
    event_id: id,
    source_service: "kubernetes",
    event_type: eventTypeOf("kubernetes", textAt(event, "verb") ?? "audit"),
    user_id: textAt(event, "user.username"),
    action_result: typeof code === "number" ? (code < 400 ? "SUCCESS" : "FAILURE") : undefined,
    client_ip: addressAt(event, "sourceIPs.0"),
    resource: resourceOf(event),
    details: present({
      namespace: textAt(event, "objectRef.namespace"),
      user_agent: textAt(event, "userAgent"),
      impersonated_user: textAt(event, "impersonatedUser.username"),
      envelope,
    }),
    logsource: { product: "kubernetes", category: "application", service: "audit" },
    original: event,
  });
  return { source: "/auditflow/source/kubernetes", id, time: timeOf(event), data };
}

/** One request is recorded once per stage, each time under the same `auditID`. */
function auditIdOf(event: JsonObject): string | undefined {
  const auditId = textAt(event, "auditID");
  if (auditId === undefined) return undefined;
  const stage = textAt(event, "stage");
  return cut(stage === undefined ? auditId : `${auditId}/${stage}`, maxId);
}

/** A stage later than the first has a time of its own. */
function timeOf(event: JsonObject): number | undefined {
  return timeAt(event, "stageTimestamp", "requestReceivedTimestamp", "p_event_time");
}

function resourceOf(event: JsonObject): string | undefined {
  const reference = ["resource", "subresource", "namespace", "name"].map((part) =>
    textAt(event, `objectRef.${part}`),
  );
  const [resource, subresource, namespace, name] = reference;
  if (resource === undefined) return textAt(event, "requestURI");
  const path = [namespace, resource, name, subresource].filter((part) => part !== undefined);
  return cut(path.join("/"), maxText);
}
