import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { attributeText, validEvent } from "../test/support/arbitrary-event.ts";
import type { Event } from "./event.ts";
import { decodeBatch, decodeRequest, encodeBatch, encodeBinary, encodeStructured } from "./http.ts";
import type { HttpMessage } from "./http-message.ts";
import { InvalidEventError } from "./invalid-event.ts";
import { representationOf } from "./media-type.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./percent.ts";

/** What headers leave of an event: extensions are text, and no data under a type that is not JSON is empty data. */
function asHeadersHaveIt(event: Event): Event {
  const extensions = Object.fromEntries(
    Object.entries(event.extensions).map(([name, value]) => [name, String(value)]),
  );
  const { data, datacontenttype } = event;
  if (data !== undefined || datacontenttype === undefined) return { ...event, extensions };
  const empty = { json: undefined, text: "", bytes: Buffer.alloc(0) };
  return { ...event, extensions, data: empty[representationOf(datacontenttype)] };
}

/** The message after Node's HTTP client, a socket and Node's parser: header bytes read as latin-1. */
function overTheWire({ headers, body }: HttpMessage): HttpMessage {
  const read = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === "string" ? Buffer.from(value, "utf8").toString("latin1").trim() : value,
  ]);
  return { headers: Object.fromEntries(read), body };
}

/** Compared as text: JSON has no negative zero to send. */
function textOf(event: Event): string {
  return encodeStructured(event).body.toString("utf8");
}

function decodeOrRefuse(message: HttpMessage): Event | InvalidEventError {
  try {
    return decodeRequest(message);
  } catch (error) {
    if (error instanceof InvalidEventError) return error;
    throw error;
  }
}

describe("what was encoded decodes to the same event", () => {
  test("in binary mode, but for the types of extensions", () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        expect(decodeRequest(overTheWire(encodeBinary(event)))).toEqual(asHeadersHaveIt(event));
      }),
      { numRuns: 2000 },
    );
  });

  test("in structured mode", () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        expect(decodeRequest(encodeStructured(event))).toEqual(event);
      }),
      { numRuns: 2000 },
    );
  });

  test("in a batch", () => {
    fc.assert(
      fc.property(fc.array(validEvent, { maxLength: 4 }), (events) => {
        expect(decodeBatch(encodeBatch(events))).toEqual(events);
      }),
      { numRuns: 300 },
    );
  });

  test("as a header value, for every text an attribute may have", () => {
    fc.assert(
      fc.property(attributeText, (text) => {
        const header = encodeHeaderValue(text);
        expect(header).toMatch(/^[\u0021-\u007e]*$/);
        expect(decodeHeaderValue(header)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test("an encoded message has headers any HTTP client sends", () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        const { headers } = encodeBinary(event);
        expect(
          Object.entries(headers).filter(
            ([name, value]) => !/^[a-z0-9-]+$/.test(name) || !/^[ -~]*$/.test(value),
          ),
        ).toEqual([]);
        expect(() => new Headers(headers)).not.toThrow();
      }),
    );
  });
});

const headerName = fc.oneof(
  fc.constantFrom(
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-time",
    "ce-subject",
    "ce-dataschema",
  ),
  fc.constantFrom(
    "ce-datacontenttype",
    "ce-data",
    "Ce-Id",
    "ce-",
    "ce-a_b",
    "ce-__proto__",
    "ce-constructor",
  ),
  fc.constantFrom("content-type", "Content-Type", "content-encoding", "__proto__", "constructor"),
  fc.string(),
);

const headerValue = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom("1.0", "0.3", "", "%", "%ff", '"', '"a\\', "\ud800", "application/json", "text/plain"),
  fc.constantFrom(
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/cloudevents+xml",
  ),
  fc.array(fc.string()),
  fc.constant(undefined),
);

const someBody = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.json({ stringUnit: "binary" }).map((text) => Buffer.from(text)),
  fc
    .constantFrom("", "{", "[[[[", '{"a":1e400}', '"\\ud800"', "\uFEFF{}", '{"__proto__":1}')
    .map((text) => Buffer.from(text)),
);

const anyMessage: fc.Arbitrary<HttpMessage> = fc.record({
  headers: fc.dictionary(headerName, headerValue, { noNullPrototype: true }),
  body: someBody,
});

/** A valid message with a few headers replaced or removed, and some bytes of the body changed. */
const mutatedMessage: fc.Arbitrary<HttpMessage> = fc
  .record({
    event: validEvent,
    encode: fc.constantFrom(encodeBinary, encodeStructured),
    headers: fc.dictionary(headerName, headerValue, { maxKeys: 2, noNullPrototype: true }),
    edits: fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
  })
  .map(({ event, encode, headers, edits }) => {
    const message = encode(event);
    const body = Buffer.from(message.body);
    for (const [at, byte] of edits) if (at < body.length) body[at] = byte;
    return { headers: { ...message.headers, ...headers }, body };
  });

/** JSON that looks like an event, with members of any type. */
const eventLike: fc.Arbitrary<HttpMessage> = fc
  .dictionary(
    fc.oneof(
      fc.constantFrom(
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
      ),
      fc.constantFrom("data", "data_base64", "__proto__", "constructor", "Upper", "a_b", ""),
      fc.string(),
    ),
    fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("1.0", "a", "/a", "text/plain", "application/cloudevents+json", "YQ==", null),
    ),
    { noNullPrototype: true },
  )
  .map((members) => ({
    headers: { "content-type": "application/cloudevents+json" },
    body: Buffer.from(JSON.stringify({ specversion: "1.0", id: "1", source: "/a", type: "t", ...members })),
  }));

describe("no input makes the decoder throw anything but an InvalidEventError", () => {
  test.for([
    ["any headers and body", anyMessage],
    ["a valid message with mutations", mutatedMessage],
    ["JSON that looks like an event", eventLike],
  ] as const)("%s", ([, messages]) => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(messages, (message) => {
        const outcome = decodeOrRefuse(message);
        if (outcome instanceof InvalidEventError) refused++;
        else accepted++;
        if (outcome instanceof InvalidEventError) return;
        // Whatever is accepted can be passed on, and arrives as the same event.
        expect(textOf(decodeRequest(encodeBinary(outcome)))).toEqual(textOf(asHeadersHaveIt(outcome)));
        expect(textOf(decodeRequest(encodeStructured(outcome)))).toEqual(textOf(outcome));
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(0);
    if (messages !== anyMessage) expect(accepted).toBeGreaterThan(0);
  });

  test("a batch of anything", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          someBody,
          fc.json().map((text) => Buffer.from(`[${text}]`)),
        ),
        (body) => {
          try {
            for (const item of decodeBatch({
              headers: { "content-type": "application/cloudevents-batch+json" },
              body,
            })) {
              if (!(item instanceof InvalidEventError)) expect(item.specversion).toBe("1.0");
            }
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidEventError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
