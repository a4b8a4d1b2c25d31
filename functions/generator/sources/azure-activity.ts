import { isIP } from "node:net";

import {
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
import { type Adapted, adaptOne, defineSource, type RecordMeta } from "./source.ts";

/** Categories of the activity log; the last three are those of records that a log profile exports. */
const categories: ReadonlySet<string> = new Set([
  "administrative",
  "servicehealth",
  "resourcehealth",
  "alert",
  "autoscale",
  "recommendation",
  "security",
  "policy",
  "write",
  "delete",
  "action",
]);

/** Where each form of record has what is asked for; the REST API wraps texts as `{"value", "localizedValue"}`. */
const operation = ["operationName", "operationName.value", "OperationNameValue", "OperationName"];
const category = ["category", "category.value", "CategoryValue", "Category"];
const status = ["resultType", "status.value", "ActivityStatusValue", "ActivityStatus"];
const resourceId = ["resourceId", "ResourceId", "_ResourceId"];

/**
 * Azure's activity log: `{"records": […]}` as an event hub or a storage account carries it, what the REST
 * API answers (`{"value": […]}`), or rows of Log Analytics' table AzureActivity.
 * https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
 */
export const azureActivity = defineSource({
  name: "azure-activity",
  format: "json",
  recognises: isActivity,
  unwrap(document) {
    const records = valueAt(document, ["records"]) ?? valueAt(document, ["value"]);
    return Array.isArray(records) ? records : undefined;
  },
  adapt: adaptOne(
    isActivity,
    'an activity log record with "operationName", "resourceId" and a "category" such as Administrative, or {"records": […]}',
    adaptActivity,
  ),
});

function isActivity(record: unknown): record is JsonObject {
  if (!isObject(record) || textAt(record, ...operation) === undefined) return false;
  if (textAt(record, ...resourceId) === undefined) return false;
  return categories.has(textAt(record, ...category)?.toLowerCase() ?? "");
}

function adaptActivity(record: JsonObject, meta: RecordMeta): Adapted {
  const name = textAt(record, ...operation) ?? "";
  const id =
    idAt(record, "eventDataId", "EventDataId") ?? contentId("azure-activity", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: "azure",
    event_type: eventTypeOf("azure", ...name.toLowerCase().split("/").slice(-2)),
    severity: textAt(record, "level", "Level"),
    user_id: userOf(record),
    action_result: resultOf(record),
    client_ip: addressOf(
      textAt(record, "callerIpAddress", "httpRequest.clientIpAddress", "CallerIpAddress", "claims.ipaddr"),
    ),
    resource: textAt(record, ...resourceId),
    details: present({
      ...unwrapped(record),
      resource_provider: name.includes("/") ? name.slice(0, name.indexOf("/")) : undefined,
      status_text: textAt(record, ...status),
      reason: textAt(record, "resultDescription", "properties.statusMessage", "subStatus.value"),
    }),
    logsource: { product: "azure", service: "activitylogs" },
    original: record,
  });
  const time = timeAt(record, "time", "eventTimestamp", "TimeGenerated");
  return { source: "/auditflow/source/azure-activity", id, time, data };
}

/** The REST API's objects, as the text rules ask for. */
function unwrapped(record: JsonObject): JsonObject {
  return present({
    operationName: isObject(record["operationName"]) ? textAt(record, "operationName.value") : undefined,
    category: isObject(record["category"]) ? textAt(record, "category.value") : undefined,
  });
}

function userOf(record: JsonObject): string | undefined {
  // The claims are named by URIs, which have dots: no path for textAt.
  const claims = [valueAt(record, ["identity", "claims"]), valueAt(record, ["claims"])];
  const upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
  const named = claims.flatMap((each) => [
    valueAt(each, [upn]),
    valueAt(each, ["name"]),
    valueAt(each, ["appid"]),
  ]);
  return textAt(
    { ...record, named: named.find((each) => typeof each === "string" && each !== "") },
    "caller",
    "Caller",
    "named",
  );
}

/** An operation is recorded when it starts and when it ends; only the latter has a result. */
function resultOf(record: JsonObject): string | undefined {
  const text = textAt(record, ...status);
  if (text === undefined) return undefined;
  if (/^succe(?:ss|eded)$/i.test(text)) return "SUCCESS";
  return /^fail(?:ed|ure)$/i.test(text) ? "FAILURE" : text.toUpperCase();
}

/** Some records have the port behind the address. */
function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (isIP(text) !== 0) return text;
  const bare = /^\[?([0-9a-fA-F.:]+?)\]?:\d{1,5}$/.exec(text)?.[1] ?? "";
  return isIP(bare) === 0 ? undefined : bare;
}
