import { decodeBatch, decodeRequest, encodeStructured, isBatch, isCloudEvent } from "../../events/http.ts";
import { InvalidEventError } from "../../events/invalid-event.ts";
import { parseTraceparent, toTraceparent } from "../../runtime/tracing.ts";
import { answerMany, answerOne, answerPredecessor } from "./answer.ts";
import { mediaTypeOf, readBody } from "./body.ts";
import { type Document, fromJsonBody, fromNdjsonBody, fromTextBody } from "./documents.ts";
import type { Candidate, Intake } from "./intake.ts";
import { fromAuditEvent, fromCloudEvent } from "./normalise.ts";
import { createOffer } from "./offer.ts";
import { RequestError } from "./problem.ts";
import { adaptRecord, type Message, readAny, refusedMessage, refusedRecord } from "./reading.ts";
import { isSignedBy } from "./signature.ts";
import type { Source } from "./sources/source.ts";

export interface ReceiveDeps {
  readonly intake: Intake;
  readonly now: () => number;
  readonly newId: () => string;
  /** Secrets the senders of a source sign with, by the source's name. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** The requests that bring events in. */
export interface Receiver {
  /** `POST /`: one CloudEvent, binary or structured. */
  readonly cloudEvent: (request: Request) => Promise<Response>;
  /** `POST /events`: one audit event or many, in whichever form they are at hand. */
  readonly events: (request: Request) => Promise<Response>;
  /** `POST /generate_event`: the predecessor's only route. */
  readonly generateEvent: (request: Request) => Promise<Response>;
  /** `POST /sources/<name>`: records of a foreign log. */
  readonly records: (source: Source, request: Request) => Promise<Response>;
}

const jsonTypes = [
  "application/json",
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
] as const;

export function createReceiver({ intake, now, newId, secrets }: ReceiveDeps): Receiver {
  async function messageOf(request: Request): Promise<Message> {
    const body = await readBody(request);
    const headers = Object.fromEntries(request.headers);
    const trace = parseTraceparent(headers["traceparent"]);
    return { headers, body, receivedAt: now(), newId, traceparent: trace && toTraceparent(trace) };
  }

  const { offerOne, offerAll, offerDocument } = createOffer(intake);

  async function answerCloudEvent(message: Message): Promise<Response> {
    const read = () => [fromCloudEvent(decodeRequest(message), message)];
    return answerOne(await offerOne({ read, refused: () => refusedMessage(message) }));
  }

  return {
    async cloudEvent(request) {
      const message = await messageOf(request);
      if (isCloudEvent(message.headers)) return answerCloudEvent(message);
      throw new InvalidEventError(
        "EVENT_ATTRIBUTE_MISSING",
        'The request is no CloudEvent: expected "ce-" headers or Content-Type application/cloudevents+json. Audit events as bare JSON go to POST /events.',
        { pointer: "/specversion" },
      );
    },

    async events(request) {
      const message = await messageOf(request);
      if (isBatch(message.headers)) return answerMany(await offerAll(batchOf(message)));
      if (isCloudEvent(message.headers)) return answerCloudEvent(message);
      const type = mediaTypeOf(request, jsonTypes);
      const document =
        type === "application/json" ? fromJsonBody(message.body) : fromNdjsonBody(message.body);
      return offerDocument(document, message, (record, repetition) =>
        readAny(record, { message, repetition }),
      );
    },

    async generateEvent(request) {
      const message = await messageOf(request);
      mediaTypeOf(request, ["application/json"]);
      const { single, items } = fromJsonBody(message.body);
      let eventId = "";
      const receipt = await offerOne({
        read() {
          const event = fromAuditEvent(single ? items[0]?.read() : items, message);
          eventId = event.data.event_id ?? event.id;
          return [event];
        },
        refused: () => refusedRecord(items[0], message),
      });
      return answerPredecessor(receipt, eventId);
    },

    async records(source, request) {
      const message = await messageOf(request);
      checkSignature(secrets.get(source.name), message);
      return offerDocument(documentOf(source, request, message.body), message, (record, repetition) =>
        adaptRecord(source, record, { message, repetition }),
      );
    },
  };
}

function batchOf(message: Message): readonly Candidate[] {
  return decodeBatch(message).map((event) =>
    event instanceof InvalidEventError
      ? { read: () => raise(event), refused: () => ({ event: event.event, message }) }
      : {
          read: () => [fromCloudEvent(event, message)],
          refused: () => ({ event, message: encodeStructured(event) }),
        },
  );
}

function raise(error: Error): never {
  throw error;
}

function checkSignature(secret: string | undefined, { headers, body }: Message): void {
  if (secret === undefined || isSignedBy(secret, body, headers["x-hub-signature-256"])) return;
  throw new RequestError(
    "SIGNATURE_INVALID",
    'X-Hub-Signature-256 is missing or was not made with the secret of this source: expected "sha256=" and the HMAC of the body.',
  );
}

function documentOf(
  { format, alsoJson = false, keyOfLine, unwrap }: Source,
  request: Request,
  body: Buffer,
): Document {
  if (format === "text") {
    const type = mediaTypeOf(request, alsoJson ? ["text/plain", ...jsonTypes] : ["text/plain"]);
    return type === "application/json" ? fromJsonBody(body, unwrap) : fromTextBody(body, keyOfLine);
  }
  return mediaTypeOf(request, jsonTypes) === "application/json"
    ? fromJsonBody(body, unwrap)
    : fromNdjsonBody(body);
}
