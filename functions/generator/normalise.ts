import { createHash } from "node:crypto";

import type { EventOf } from "../../events/contract.ts";
import { type AuditRecorded, auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { asAttribute, createEvent, parseEvent } from "../../events/envelope.ts";
import type { Event, Extensions } from "../../events/event.ts";
import { deriveUuid } from "../../events/identity.ts";
import { InvalidEventError, quote } from "../../events/invalid-event.ts";
import { parseInstant, toInstant } from "../../events/time.ts";
import { RequestError } from "./problem.ts";
import { isObject, valueAt } from "./sources/record.ts";
import type { Adapted } from "./sources/source.ts";

/** An audit event as the generator stores and publishes it. */
export type AuditEvent = EventOf<typeof auditRecorded>;

/** What normalisation takes from outside. */
export interface Arrival {
  /** When the request arrived, epoch milliseconds. */
  readonly receivedAt: number;
  readonly newId: () => string;
  /** The trace the request belongs to, if its header is valid. */
  readonly traceparent?: string | undefined;
}

/** A clock further ahead than this is told to be wrong. */
const maxAheadMs = 5 * 60_000;
/** CloudEvents source of audit events that do not name the service they come from. */
const anonymousSource = "/auditflow/generator";
const printableAscii = /^[\u0020-\u007e]+$/;

/**
 * A CloudEvent a client sent, as it is published: id, source, subject, extensions and data are the client's.
 * Only what is missing is added: time, subject and partition key.
 */
export function fromCloudEvent(event: Event, arrival: Arrival): AuditEvent {
  const { data } = withValue(() => parseEvent([auditRecorded], event), event.data);
  const given = event.time === undefined ? undefined : parseInstant(event.time);
  const time = given ?? timestampOf(data, "/data/timestamp");
  const published = withValue(
    () =>
      createEvent(auditRecorded, {
        id: event.id,
        source: event.source,
        time: given === undefined ? toInstant(time ?? arrival.receivedAt) : (event.time ?? ""),
        subject: event.subject ?? subjectOf(data),
        extensions: { ...extensionsOf(data, time, arrival), ...event.extensions },
        data: time === undefined ? { ...data, time_generated: true } : data,
      }),
    event.data,
  );
  return event.dataschema === undefined ? published : { ...published, dataschema: event.dataschema };
}

/** An audit event a client sent as bare JSON, in the predecessor's words. Throws InvalidEventError. */
export function fromAuditEvent(body: unknown, arrival: Arrival): AuditEvent {
  const data = withValue(() => auditEventOf(body), body);
  const { event_id, source_service } = data;
  const isGenerated = event_id === undefined || event_id === null;
  const id = isGenerated ? arrival.newId() : event_id;
  const time = timestampOf(data, "/timestamp");
  return createEvent(auditRecorded, {
    id: idAttribute(id),
    source: sourceOf(source_service),
    time: toInstant(time ?? arrival.receivedAt),
    subject: subjectOf(data),
    extensions: extensionsOf(data, time, arrival),
    // The time that was made up is not among the data: a second attempt of the client must be the same event.
    data: {
      ...data,
      ...(isGenerated ? { event_id: id, id_generated: true } : {}),
      ...(time === undefined ? { time_generated: true } : {}),
    },
  });
}

/** What an adapter made of a foreign record. */
export function fromRecord({ source, id, time, data }: Adapted, arrival: Arrival): AuditEvent {
  const known = id ?? arrival.newId();
  return createEvent(auditRecorded, {
    id: idAttribute(known),
    source,
    time: toInstant(time ?? arrival.receivedAt),
    subject: subjectOf(data),
    extensions: extensionsOf(data, time, arrival),
    data: {
      event_id: known,
      ...(time === undefined ? {} : { timestamp: toInstant(time) }),
      ...data,
      ...(id === undefined ? { id_generated: true } : {}),
      ...(time === undefined ? { time_generated: true } : {}),
    },
  });
}

/** What can be told of an audit event that is refused: its identity, if it has one. */
export function identityOf(body: unknown): { readonly id: string; readonly source: string } | undefined {
  const id = valueAt(body, ["event_id"]);
  const service = valueAt(body, ["source_service"]);
  if (typeof id !== "string" || id === "" || id.length > 256) return undefined;
  return {
    id: idAttribute(id),
    source: sourceOf(typeof service === "string" ? service.slice(0, 1024) : undefined),
  };
}

/** `<event type>/<user>`, so that Triggers can filter on it; percent-encoded where it is not plain ASCII. */
function subjectOf({ event_type, user_id }: AuditRecorded): string {
  const subject =
    user_id === undefined || user_id === null || user_id === "" ? event_type : `${event_type}/${user_id}`;
  const text = asAttribute(subject);
  // The end of a long name would push other attributes out of the headers' limit.
  return text.length <= 512 ? text : `${text.slice(0, 480).replace(/%[^%]{0,2}$/, "")}~${digest(subject)}`;
}

function sourceOf(service: string | null | undefined): string {
  if (service === undefined || service === null || service === "") return anonymousSource;
  const name = encodeURIComponent(service.toWellFormed());
  return `/auditflow/source/${name.length <= 512 ? name : digest(service)}`;
}

/** An id that could not travel unchanged is replaced by one derived from it; the client's stays in the data. */
function idAttribute(id: string): string {
  return printableAscii.test(id) ? id : deriveUuid("event_id", id);
}

/** Undefined when there is no timestamp; one that cannot be read is refused, since any other is invented. */
function timestampOf({ timestamp }: AuditRecorded, pointer: string): number | undefined {
  if (timestamp === undefined || timestamp === null) return undefined;
  const time = parseInstant(timestamp);
  if (time !== undefined) return time;
  throw new RequestError(
    "EVENT_TIME_INVALID",
    `timestamp is ${quote(timestamp)}: expected RFC 3339 text such as "2026-11-21T12:00:00Z", or an epoch number in seconds or milliseconds.`,
    { pointer },
  );
}

/**
 * What depends on the moment of arrival is an extension and not data: the data of an event sent twice must
 * not differ.
 */
function extensionsOf(
  data: AuditRecorded,
  time: number | undefined,
  { receivedAt, traceparent }: Arrival,
): Extensions {
  const { tenant, user_id, server_hostname } = data;
  const party = [tenant, user_id, server_hostname].map((part) => part ?? "");
  return {
    ...(party.some((part) => part !== "") ? { partitionkey: digest(JSON.stringify(party)) } : {}),
    ...(time !== undefined && time > receivedAt + maxAheadMs ? { clockskew: true } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function auditEventOf(body: unknown): AuditRecorded {
  if (!isObject(body)) {
    throw new InvalidEventError(
      "EVENT_DATA_INVALID",
      `Expected an audit event, which is an object, got ${quote(body)}.`,
    );
  }
  const parsed = auditRecorded.data.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map(String);
  throw new InvalidEventError(
    "EVENT_DATA_INVALID",
    `${path.join(".")}: ${issue?.message ?? "is not valid"}`,
    {
      pointer: `/${path.map((step) => step.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`,
    },
  );
}

/** Names the value beside the place: an error about data says what was there. */
function withValue<T>(read: () => T, data: unknown): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidEventError) || error.code !== "EVENT_DATA_INVALID") throw error;
    const { code, message, pointer, event } = error;
    const path = (pointer ?? "")
      .split("/")
      .slice(1)
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const value = valueAt(isObject(data) ? { ...data, data } : { data }, path);
    throw new InvalidEventError(code, `${message} (got ${quote(value)})`, { pointer, event, cause: error });
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
