import { emptyCandidate } from "./attributes.ts";
import type { Event } from "./event.ts";
import { fromBinary, readHeader, toBinary } from "./http-binary.ts";
import type { EncodedMessage, HttpMessage } from "./http-message.ts";
import { formatEvent, fromJson, maxEventDepth, toJson } from "./http-structured.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";
import { checkJson, formatJson, readJson, type ReadJson } from "./json.ts";
import { essenceOf, isEventFormat } from "./media-type.ts";

/**
 * The CloudEvents 1.0 HTTP protocol binding, strictly: what breaks a rule is refused with an
 * InvalidEventError that names the rule, and nothing is invented. Where Knative's RabbitMQ dispatcher
 * departs from the binding the reading is tolerant: see percent.ts (attribute values), http-binary.ts
 * (URIs) and data.ts (no Content-Type).
 *
 * Round trip: `decodeRequest(encodeStructured(event))` is the event, and so is
 * `decodeRequest(encodeBinary(event))` but for two things headers cannot carry: integers and booleans of
 * extensions come back as their string encoding, and absent data of a media type that is not JSON comes
 * back as empty data. In both modes a `datacontenttype` left unsaid beside data is made explicit.
 */

const structured = "application/cloudevents+json";
const batch = "application/cloudevents-batch+json";
const identifyingHeaders: ReadonlySet<string> = new Set(["ce-specversion", "ce-id", "ce-source", "ce-type"]);

/** The event of a request or response in binary or structured mode; a batch is refused. */
export function decodeRequest(message: HttpMessage): Event {
  const mode = modeOf(message.headers);
  if (mode === "binary") {
    try {
      refuseEncodedBody(message);
      return fromBinary(message);
    } catch (error) {
      throw error instanceof InvalidEventError ? error.about(headerAttributes(message.headers)) : error;
    }
  }
  refuseEncodedBody(message);
  if (mode === "structured") return decodeItem(readJson(message.body, maxEventDepth));
  throw unsupported(
    mode === "batch"
      ? `${batch} is accepted only where batches are asked for: send one event a request`
      : `the event format ${quote(contentTypeOf(message.headers))} is not understood: use ${structured}`,
  );
}

/**
 * The events of a batch, each on its own: one that is invalid takes no other with it. Throws
 * InvalidEventError when the body as a whole is no batch.
 */
export function decodeBatch(message: HttpMessage): readonly (Event | InvalidEventError)[] {
  if (!isBatch(message.headers)) throw unsupported(`expected Content-Type ${batch}`);
  refuseEncodedBody(message);
  const { value, escaped } = readJson(message.body, maxEventDepth + 1);
  if (!Array.isArray(value)) {
    throw new InvalidEventError(
      "EVENT_BODY_INVALID",
      `Expected a batch, which is an array, got ${quote(value)}.`,
    );
  }
  checkBatchSize(value.length);
  return value.map((item: unknown) => {
    try {
      return decodeItem({ value: item, escaped });
    } catch (error) {
      if (error instanceof InvalidEventError) return error;
      throw error;
    }
  });
}

/** Events, or records, in one request at most: each of them is answered, also the many that say nothing. */
const maxBatchSize = 10_000;

/** Throws EVENT_BODY_INVALID when one request holds too many events to answer each of them. */
export function checkBatchSize(size: number): void {
  if (size <= maxBatchSize) return;
  const message = `The body holds ${size} events: expected at most ${maxBatchSize} in one request.`;
  throw new InvalidEventError("EVENT_BODY_INVALID", message);
}

/** Whether the message says that it carries a batch. */
export function isBatch(headers: HttpMessage["headers"]): boolean {
  return modeOf(headers) === "batch";
}

/** Whether the message says that it carries CloudEvents, in whichever mode and however badly. */
export function isCloudEvent(headers: HttpMessage["headers"]): boolean {
  if (modeOf(headers) !== "binary") return true;
  return Object.keys(headers).some((name) => identifyingHeaders.has(name.toLowerCase()));
}

/** A message in binary mode: attributes as headers, data as the body. */
export function encodeBinary(event: Event): EncodedMessage {
  return toBinary(event);
}

/** A message in structured mode: the whole event in JSON format. */
export function encodeStructured(event: Event): EncodedMessage {
  return { headers: { "content-type": structured }, body: formatEvent(event) };
}

/** A message in batch mode; only for a receiver that asked for batches. */
export function encodeBatch(events: readonly Event[]): EncodedMessage {
  return { headers: { "content-type": batch }, body: formatJson(events.map(toJson), maxEventDepth + 1) };
}

/** One event of the JSON format; an error tells which event it is about. */
function decodeItem({ value, escaped }: ReadJson): Event {
  try {
    checkJson(value, { escaped });
    return fromJson(value);
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    throw error.about(typeof value === "object" && value !== null ? { ...value } : {});
  }
}

/** Attributes of headers that may be invalid: as much as can be read. */
function headerAttributes(headers: HttpMessage["headers"]): Readonly<Record<string, unknown>> {
  const attributes = emptyCandidate();
  for (const [header, value] of Object.entries(headers)) {
    try {
      readHeader(attributes, header, value);
    } catch {
      // What makes it invalid is known already; whatever else can be read helps to find the event.
    }
  }
  return attributes;
}

function modeOf(headers: HttpMessage["headers"]): "binary" | "structured" | "batch" | "unknown" {
  const contentType = contentTypeOf(headers);
  if (contentType === undefined || !isEventFormat(contentType)) return "binary";
  const essence = essenceOf(contentType);
  if (essence === structured) return "structured";
  return essence === batch ? "batch" : "unknown";
}

function contentTypeOf(headers: HttpMessage["headers"]): string | undefined {
  return headerOf(headers, "content-type");
}

/** Runs twice for every message: Node's names are in lower case, and few others are of the same length. */
function headerOf(headers: HttpMessage["headers"], wanted: string): string | undefined {
  let value = headers[wanted];
  if (value === undefined) {
    for (const header in headers) {
      if (header.length === wanted.length && header.toLowerCase() === wanted) value = headers[header];
    }
  }
  return typeof value === "string" ? value : undefined;
}

function refuseEncodedBody({ headers }: HttpMessage): void {
  const encoding = headerOf(headers, "content-encoding")?.trim().toLowerCase();
  if (encoding === undefined || encoding === "" || encoding === "identity") return;
  throw new InvalidEventError(
    "EVENT_BODY_INVALID",
    `Content-Encoding ${quote(encoding)} is not accepted: send the body as it is.`,
  );
}

function unsupported(message: string): InvalidEventError {
  return new InvalidEventError("EVENT_MODE_UNSUPPORTED", `CloudEvents over HTTP: ${message}.`);
}
