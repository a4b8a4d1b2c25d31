import {
  addressAt,
  contentId,
  eventTypeOf,
  idAt,
  isObject,
  type JsonObject,
  present,
  refuseRecord,
  textAt,
  timeAt,
} from "./record.ts";
import { type Adapted, defineSource, type RecordMeta } from "./source.ts";

const source = "/auditflow/source/github";

/**
 * GitHub: what a webhook posts, and the records of an organisation's audit log.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export const github = defineSource({
  name: "github",
  format: "json",
  recognises: (record) => isAuditRecord(record) || isPayload(record),
  adapt(record, meta) {
    if (isObject(record) && meta.headers["x-github-event"] !== undefined) return [adaptPayload(record, meta)];
    if (isAuditRecord(record)) return [adaptAuditRecord(record, meta)];
    if (isPayload(record)) return [adaptPayload(record, meta)];
    throw refuseRecord(
      record,
      'a webhook payload (sent with "X-GitHub-Event", or with "repository", "organization" or "sender"), or an audit log record with "action" and "actor"',
    );
  },
});

function isAuditRecord(record: unknown): record is JsonObject {
  return isObject(record) && textAt(record, "action") !== undefined && textAt(record, "actor") !== undefined;
}

function isPayload(record: unknown): record is JsonObject {
  return isObject(record) && ["repository", "organization", "sender"].some((name) => isObject(record[name]));
}

/** An audit log record names its action `<area>.<what>`. */
function adaptAuditRecord(record: JsonObject, meta: RecordMeta): Adapted {
  const id = idAt(record, "_document_id") ?? contentId("github", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: "github",
    event_type: eventTypeOf("github", textAt(record, "action")),
    user_id: textAt(record, "actor"),
    client_ip: addressAt(record, "actor_ip"),
    resource: textAt(record, "repo", "org", "business"),
    details: present({ organization: textAt(record, "org"), user_agent: textAt(record, "user_agent") }),
    logsource: { product: "github", service: "audit" },
    original: record,
  });
  const time = timeAt(record, "@timestamp", "at_sign_timestamp", "created_at", "p_event_time");
  return { source, id, time, data };
}

/** A payload does not say when it happened; the moment of arrival stands in for it, and says so. */
function adaptPayload(record: JsonObject, meta: RecordMeta): Adapted {
  const id = idAt(meta.headers, "x-github-delivery") ?? contentId("github", record, meta.repetition());
  const event = meta.headers["x-github-event"];
  const data = present({
    event_id: id,
    source_service: "github",
    event_type: eventTypeOf("github", event ?? "webhook", textAt(record, "action")),
    user_id: textAt(record, "sender.login", "pusher.name"),
    resource: textAt(record, "repository.full_name", "organization.login"),
    details: present({ event, organization: textAt(record, "organization.login") }),
    logsource: { product: "github", service: "webhook" },
    original: record,
  });
  return { source, id, data };
}
