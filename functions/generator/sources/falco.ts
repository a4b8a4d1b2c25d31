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
 * Falco's alerts as its `http_output`, a JSON log, or Falcosidekick's webhook write them.
 * https://falco.org/docs/concepts/outputs/
 */
export const falco = defineSource({
  name: "falco",
  format: "json",
  recognises: isAlert,
  adapt: adaptOne(
    isAlert,
    'an alert with "rule", "priority", "output" and "time" (json_output: true)',
    adaptAlert,
  ),
});

function isAlert(record: unknown): record is JsonObject {
  return (
    isObject(record) &&
    ["rule", "priority", "output", "time"].every((name) => textAt(record, name) !== undefined)
  );
}

function adaptAlert(record: JsonObject, meta: RecordMeta): Adapted {
  const fields = valueAt(record, ["output_fields"]);
  // Names such as `proc.cmdline` are keys, not paths.
  const field = (name: string) => textAt({ value: valueAt(fields, [name]) }, "value");
  const id = idAt(record, "uuid") ?? contentId("falco", record, meta.repetition());
  const service = textAt(record, "source") ?? "syscall";
  const data = present({
    event_id: id,
    source_service: "falco",
    server_hostname: textAt(record, "hostname"),
    event_type: eventTypeOf("falco", service),
    severity: textAt(record, "priority"),
    user_id: field("user.name") ?? field("ka.user.name") ?? field("ct.user") ?? field("user.uid"),
    client_ip: addressAt({ ip: field("fd.cip") ?? field("ka.sourceips") ?? field("ct.srcip") }, "ip"),
    resource: field("k8s.pod.name") ?? field("container.name") ?? field("ka.target.name") ?? field("fd.name"),
    details: present({ reason: textAt(record, "rule"), message: textAt(record, "output") }),
    logsource: { product: "falco", service: service.toLowerCase() },
    original: record,
  });
  return { source: "/auditflow/source/falco", id, time: timeAt(record, "time"), data };
}
