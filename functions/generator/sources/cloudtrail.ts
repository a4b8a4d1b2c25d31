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
import { type Adapted, adaptOne, defineSource, type RecordMeta } from "./source.ts";

/**
 * AWS CloudTrail: a log file (`{"Records": […]}`) or single records.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export const cloudtrail = defineSource({
  name: "cloudtrail",
  format: "json",
  recognises: isTrailRecord,
  unwrap(document) {
    const records = valueAt(document, ["Records"]);
    return Array.isArray(records) ? records : undefined;
  },
  adapt: adaptOne(
    isTrailRecord,
    'a CloudTrail record with "eventSource" and "eventName", or {"Records": […]}',
    adaptRecord,
  ),
});

function isTrailRecord(record: unknown): record is JsonObject {
  return (
    isObject(record) &&
    textAt(record, "eventSource") !== undefined &&
    textAt(record, "eventName") !== undefined
  );
}

function adaptRecord(record: JsonObject, meta: RecordMeta): Adapted {
  const id = idAt(record, "eventID") ?? contentId("cloudtrail", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: textAt(record, "eventSource"),
    event_type: eventTypeOf("cloudtrail", textAt(record, "eventName")),
    user_id: textAt(
      record,
      "userIdentity.userName",
      "userIdentity.sessionContext.sessionIssuer.userName",
      "userIdentity.arn",
      "userIdentity.principalId",
      "userIdentity.invokedBy",
    ),
    action_result: resultOf(record),
    client_ip: addressAt(record, "sourceIPAddress"),
    resource: textAt(record, "resources.0.ARN", "resources.0.arn"),
    details: present({
      region: textAt(record, "awsRegion"),
      account: textAt(record, "recipientAccountId", "userIdentity.accountId"),
      identity_type: textAt(record, "userIdentity.type"),
      user_agent: textAt(record, "userAgent"),
      reason: textAt(record, "errorCode", "errorMessage"),
    }),
    logsource: { product: "aws", service: "cloudtrail" },
    original: record,
  });
  return { source: "/auditflow/source/cloudtrail", id, time: timeAt(record, "eventTime"), data };
}

/** A failed sign-in to the console has no error code: its answer says so. */
function resultOf(record: JsonObject): string {
  if (textAt(record, "errorCode", "errorMessage") !== undefined) return "FAILURE";
  return textAt(record, "responseElements.ConsoleLogin") === "Failure" ? "FAILURE" : "SUCCESS";
}
