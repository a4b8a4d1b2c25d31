import {
  addressAt,
  contentId,
  cut,
  eventTypeOf,
  idAt,
  isObject,
  type JsonObject,
  maxText,
  present,
  textAt,
  timeAt,
  valueAt,
} from "./record.ts";
import { type Adapted, adaptOne, defineSource, type RecordMeta } from "./source.ts";

/**
 * Okta's System Log: what its API answers (an array), an event hook posts (`{"data": {"events": […]}}`), or
 * a log stream to EventBridge carries in `detail`.
 * https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
 */
export const okta = defineSource({
  name: "okta",
  format: "json",
  recognises: isLogEvent,
  // An event hook sends nothing before its address has given this back.
  verify({ "x-okta-verification-challenge": verification }) {
    return verification === undefined ? undefined : { verification: cut(verification, maxText) };
  },
  unwrap(document) {
    const events = valueAt(document, ["data", "events"]);
    if (Array.isArray(events)) return events;
    const detail = valueAt(document, ["detail"]);
    return isLogEvent(detail) ? [detail] : undefined;
  },
  adapt: adaptOne(
    isLogEvent,
    'a System Log event with "uuid", "eventType" and "actor", or an event hook with {"data": {"events": […]}}',
    adaptLogEvent,
  ),
});

function isLogEvent(record: unknown): record is JsonObject {
  if (!isObject(record) || textAt(record, "eventType") === undefined || !isObject(record["actor"]))
    return false;
  return ["uuid", "published", "legacyEventType"].some((name) => textAt(record, name) !== undefined);
}

function adaptLogEvent(record: JsonObject, meta: RecordMeta): Adapted {
  const id = idAt(record, "uuid") ?? contentId("okta", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: "okta",
    event_type: eventTypeOf("okta", textAt(record, "eventType")),
    severity: textAt(record, "severity"),
    user_id: textAt(record, "actor.alternateId", "actor.displayName", "actor.id"),
    action_result: resultOf(record),
    client_ip: addressAt(record, "client.ipAddress", "request.ipChain.0.ip"),
    resource: resourceOf(record),
    details: present({
      message: textAt(record, "displayMessage"),
      reason: textAt(record, "outcome.reason"),
      user_agent: textAt(record, "client.userAgent.rawUserAgent"),
      country: textAt(record, "client.geographicalContext.country"),
    }),
    logsource: { product: "okta", service: "okta" },
    original: record,
  });
  return { source: "/auditflow/source/okta", id, time: timeAt(record, "published"), data };
}

/** Okta's words are more than two: a challenge, say, has not been decided yet. */
function resultOf(record: JsonObject): string | undefined {
  const result = textAt(record, "outcome.result");
  if (result === "ALLOW") return "SUCCESS";
  return result === "DENY" ? "FAILURE" : result;
}

function resourceOf(record: JsonObject): string | undefined {
  const name = textAt(record, "target.0.alternateId", "target.0.displayName", "target.0.id");
  if (name === undefined) return undefined;
  const type = textAt(record, "target.0.type");
  return type === undefined ? name : cut(`${type}/${name}`, maxText);
}
