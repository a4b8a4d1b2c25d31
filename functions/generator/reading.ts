import { createHash } from "node:crypto";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { decodeRequest } from "../../events/http.ts";
import type { HttpMessage } from "../../events/http-message.ts";
import { fromJson } from "../../events/http-structured.ts";
import { InvalidEventError, type RefusedEvent } from "../../events/invalid-event.ts";
import type { RecordItem } from "./documents.ts";
import type { Refused } from "./intake.ts";
import {
  type Arrival,
  type AuditEvent,
  fromAuditEvent,
  fromCloudEvent,
  fromRecord,
  identityOf,
} from "./normalise.ts";
import { isObject, valueAt } from "./sources/record.ts";
import { recogniseSource } from "./sources/registry.ts";
import type { Source } from "./sources/source.ts";

/** A request as it was read: its headers, its body, and what normalisation needs. */
export interface Message extends Arrival, HttpMessage {
  readonly headers: Readonly<Record<string, string>>;
}

/** How many equal records asked before this one in the same request. */
export type Repetition = () => number;

interface Context {
  readonly message: Message;
  readonly repetition: Repetition;
}

/** The events of an audit event, a CloudEvent in JSON format, or a record whose source is unmistakable. */
export function readAny(record: unknown, context: Context): readonly AuditEvent[] {
  const { message } = context;
  if (!isObject(record) || record["event_type"] !== undefined) return [fromAuditEvent(record, message)];
  if (record["specversion"] !== undefined) return [readCloudEvent(record, message)];
  const source = recogniseSource(record);
  return source === undefined ? [fromAuditEvent(record, message)] : adaptRecord(source, record, context);
}

/** The events of a foreign record. */
export function adaptRecord(
  source: Source,
  record: unknown,
  { message, repetition }: Context,
): readonly AuditEvent[] {
  const { headers, receivedAt } = message;
  const adapted = source.adapt(record, { headers, receivedAt, repetition });
  return adapted.map((each) => fromRecord(each, message));
}

function readCloudEvent(record: Readonly<Record<string, unknown>>, message: Message): AuditEvent {
  try {
    return fromCloudEvent(fromJson(record), message);
  } catch (error) {
    throw error instanceof InvalidEventError ? error.about(record) : error;
  }
}

/** What to keep of a record that is refused. */
export function refusedRecord(item: RecordItem | undefined, { headers, body }: Message): Refused {
  return { event: identified(item), message: { headers, body: item?.bytes() ?? body } };
}

/** What to keep of a CloudEvent that is refused; what it is may be in the error instead. */
export function refusedMessage(message: Message): Refused {
  try {
    return { event: decodeRequest(message), message };
  } catch {
    return { event: {}, message };
  }
}

function identified(item: RecordItem | undefined): RefusedEvent {
  try {
    const record = item?.read();
    const identity = identityOf(record);
    if (identity !== undefined) return { ...identity, type: auditRecorded.type };
    const [id, source] = [valueAt(record, ["id"]), valueAt(record, ["source"])];
    return typeof id === "string" && typeof source === "string" ? { id, source } : {};
  } catch {
    return {};
  }
}

/** Numbers equal records of one request. */
export function createRepetitions(): (item: RecordItem) => number {
  const seen = new Map<string, number>();
  return (item) => {
    const key = createHash("sha256").update(item.bytes()).digest("base64");
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return count;
  };
}
