import { maxDataDepth, parseJson } from "../../../events/json.ts";
import { isObject, type JsonObject, valueAt } from "./record.ts";

/**
 * Azure writes the Kubernetes audit event as JSON text into `properties.log` of a diagnostic record. Gives
 * the event, and the record without that text; `undefined` when it is not such a record.
 */
export function diagnosticOf(
  record: unknown,
): { readonly log: unknown; readonly envelope: JsonObject } | undefined {
  const text = valueAt(record, ["properties", "log"]);
  if (!isObject(record) || typeof text !== "string") return undefined;
  try {
    const log = parseJson(Buffer.from(text), maxDataDepth - 1);
    const { log: _, ...properties } = isObject(record["properties"]) ? record["properties"] : {};
    return { log, envelope: { ...record, properties } };
  } catch {
    return undefined;
  }
}
