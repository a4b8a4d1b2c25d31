import { CloudEvent, HTTP, type Message } from "cloudevents";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { jsonData } from "../test/support/arbitrary-event.ts";
import type { Event } from "./event.ts";
import { decodeRequest, encodeBinary, encodeStructured } from "./http.ts";
import type { EncodedMessage } from "./http-message.ts";
import { InvalidEventError } from "./invalid-event.ts";

const word = fc.string({
  unit: fc.constantFrom(..."abcXYZ019-._:/@".split("")),
  minLength: 1,
  maxLength: 20,
});
const extension = fc.oneof(word, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));

/**
 * Where both should agree: attributes of plain ASCII, a time in UTC with milliseconds, data that is a
 * JSON object. (The SDK percent-encodes nothing, cuts times and loses data that is falsy.)
 */
const plainEvent: fc.Arbitrary<Event> = fc.record({
  specversion: fc.constant("1.0" as const),
  id: word,
  source: word.map((text) => `/${text}`).filter((text) => !text.startsWith("//")),
  type: word,
  subject: fc.option(word, { nil: undefined }),
  time: fc
    .date({
      min: new Date("1970-01-01T00:00:00Z"),
      max: new Date("2100-01-01T00:00:00Z"),
      noInvalidDate: true,
    })
    .map((date) => date.toISOString()),
  dataschema: fc.option(fc.constant("https://example.com/schema.json"), { nil: undefined }),
  datacontenttype: fc.constant("application/json"),
  extensions: fc.dictionary(fc.constantFrom("partitionkey", "sequence", "correlationid", "x1"), extension, {
    noNullPrototype: true,
  }),
  data: fc.dictionary(fc.constantFrom("a", "b", "c d"), jsonData, { minKeys: 1, noNullPrototype: true }),
});

function toSdk({ extensions, ...event }: Event): CloudEvent<unknown> {
  const members = Object.entries({ ...event, ...extensions }).filter(([, value]) => value !== undefined);
  return new CloudEvent(Object.fromEntries(members));
}

function fromSdk(message: Message): EncodedMessage {
  const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
  return { headers: Object.fromEntries(headers), body: Buffer.from(String(message.body)) };
}

function decodeWithSdk({ headers, body }: EncodedMessage): CloudEvent<unknown> {
  const decoded = HTTP.toEvent({ headers, body: body.toString("utf8") });
  if (Array.isArray(decoded)) throw new Error("one event became several");
  return decoded as CloudEvent<unknown>;
}

function withTextExtensions(event: Event): Event {
  const extensions = Object.entries(event.extensions).map(([name, value]) => [name, String(value)]);
  return { ...event, extensions: Object.fromEntries(extensions) };
}

describe("our codec and the SDK agree", () => {
  test("on what the SDK writes in binary mode", () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        expect(decodeRequest(fromSdk(HTTP.binary(toSdk(event))))).toEqual(withTextExtensions(event));
      }),
      { numRuns: 500 },
    );
  });

  test("on what the SDK writes in structured mode", () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        expect(decodeRequest(fromSdk(HTTP.structured(toSdk(event))))).toEqual(event);
      }),
      { numRuns: 500 },
    );
  });

  test("on what we write in binary mode", () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        expect(decodeWithSdk(encodeBinary(event)).toJSON()).toEqual(
          toSdk(withTextExtensions(event)).toJSON(),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("on what we write in structured mode", () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        expect(decodeWithSdk(encodeStructured(event)).toJSON()).toEqual(toSdk(event).toJSON());
      }),
      { numRuns: 500 },
    );
  });
});

const headers = {
  "ce-specversion": "1.0",
  "ce-id": "1",
  "ce-source": "/a",
  "ce-type": "t",
  "content-type": "application/json",
};
const members = { specversion: "1.0", id: "1", source: "/a", type: "t" };

function binary(changed: Record<string, string | undefined>, body = "{}"): EncodedMessage {
  const all = Object.entries({ ...headers, ...changed }).filter(([, value]) => value !== undefined);
  return { headers: Object.fromEntries(all), body: Buffer.from(body) };
}

function structured(changed: object, contentType = "application/cloudevents+json"): EncodedMessage {
  return {
    headers: { "content-type": contentType },
    body: Buffer.from(JSON.stringify({ ...members, ...changed })),
  };
}

describe("the SDK accepts what the specification does not, and we refuse it", () => {
  test.for([
    ["no type", binary({ "ce-type": undefined }), "EVENT_ATTRIBUTE_MISSING"],
    ["no version", binary({ "ce-specversion": undefined }), "EVENT_ATTRIBUTE_MISSING"],
    ["version 2.0", binary({ "ce-specversion": "2.0" }), "EVENT_ATTRIBUTE_INVALID"],
    ["no id, for which it makes one up", structured({ id: undefined }), "EVENT_ATTRIBUTE_MISSING"],
    ["an empty id, which it replaces", structured({ id: "" }), "EVENT_ATTRIBUTE_INVALID"],
    [
      "a time that is none, which it replaces by now",
      binary({ "ce-time": "yesterday" }),
      "EVENT_ATTRIBUTE_INVALID",
    ],
    ["an extension that is an object", structured({ some: { a: 1 } }), "EVENT_ATTRIBUTE_INVALID"],
    ["data beside data_base64", structured({ data: 1, data_base64: "MQ==" }), "EVENT_BODY_INVALID"],
  ] as const)("%s", ([, message, code]) => {
    expect(() => decodeWithSdk(message)).not.toThrow();
    expect(() => decodeRequest(message)).toThrow(
      expect.objectContaining({ name: InvalidEventError.name, code }),
    );
  });
});

describe("the SDK refuses or changes what the specification allows, and we read it", () => {
  test.for([
    ["a body of JSON with a space before it", binary({}, " {}"), {}],
    ["a body that is a number", binary({}, "5"), 5],
    ["a body of another JSON type", binary({ "content-type": "application/vnd.a+json" }, "[1]"), [1]],
    ["data that is false", structured({ data: false }), false],
    ["a charset in capitals", structured({ data: 1 }, "application/cloudevents+json; charset=UTF-8"), 1],
  ] as const)("%s", ([, message, data]) => {
    let read: unknown;
    try {
      read = decodeWithSdk(message).data;
    } catch (error) {
      read = error;
    }
    expect(read).not.toEqual(data);
    expect(decodeRequest(message).data).toEqual(data);
  });

  test("a percent-encoded value, which it leaves encoded", () => {
    const message = binary({ "ce-subject": "%E2%82%AC" });
    expect(decodeWithSdk(message).subject).toBe("%E2%82%AC");
    expect(decodeRequest(message).subject).toBe("€");
  });

  test("a time beyond milliseconds, which it cuts", () => {
    const message = binary({ "ce-time": "2026-11-21T13:00:00.123456+01:00" });
    expect(decodeWithSdk(message).time).toBe("2026-11-21T12:00:00.123Z");
    expect(decodeRequest(message).time).toBe("2026-11-21T13:00:00.123456+01:00");
  });
});
