import { describe, expect, test } from "vitest";

import { refusalOf, structured } from "../test/support/http-messages.ts";
import type { Event } from "./event.ts";
import {
  decodeBatch,
  decodeRequest,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  isBatch,
  isCloudEvent,
} from "./http.ts";
import { InvalidEventError } from "./invalid-event.ts";

describe("batches", () => {
  const batch = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
  const good = { specversion: "1.0", id: "1", source: "/a", type: "t" };

  test("one bad event takes no other with it", () => {
    const body = Buffer.from(
      JSON.stringify([good, { ...good, id: "" }, 5, { ...good, id: "4", data: "\ud800" }, good]),
    );
    const items = decodeBatch({ headers: batch, body });
    expect(items.map((item) => (item instanceof InvalidEventError ? item.code : item.id))).toEqual([
      "1",
      "EVENT_ATTRIBUTE_INVALID",
      "EVENT_BODY_INVALID",
      "EVENT_BODY_INVALID",
      "1",
    ]);
    expect(items[3]).toMatchObject({ event: { id: "4" } });
  });

  test("an empty batch is a batch", () => {
    expect(decodeBatch({ headers: batch, body: Buffer.from("[]") })).toEqual([]);
  });

  test.for([
    ["an object", batch, "{}", "EVENT_BODY_INVALID"],
    ["not JSON", batch, "[", "EVENT_BODY_INVALID"],
    ["no batch by its type", { "content-type": "application/json" }, "[]", "EVENT_MODE_UNSUPPORTED"],
  ] as const)("%s is refused as a whole", ([, headers, body, code]) => {
    expect(() => decodeBatch({ headers, body: Buffer.from(body) })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("a batch is refused where one event is expected", () => {
    expect(refusalOf({ headers: batch, body: Buffer.from("[]") }).code).toBe("EVENT_MODE_UNSUPPORTED");
  });

  test("an event that cannot be sent lets the whole batch fail", () => {
    const event: Event = {
      specversion: "1.0",
      id: "1",
      source: "/a",
      type: "t",
      extensions: { Bad: 1 },
      data: undefined,
    };
    expect(() => encodeBatch([event])).toThrow(InvalidEventError);
  });
});

describe("modes", () => {
  test.for([
    ["application/cloudevents+avro"],
    ["application/cloudevents+xml"],
    ["application/cloudevents"],
    ["application/cloudevents-batch+protobuf"],
  ])("%s is an event format we do not speak", ([contentType]) => {
    expect(refusalOf(structured({}, contentType)).code).toBe("EVENT_MODE_UNSUPPORTED");
  });

  test("a message says whether it carries events", () => {
    expect(isCloudEvent({ "content-type": "application/json" })).toBe(false);
    expect(isCloudEvent({})).toBe(false);
    expect(isCloudEvent({ "ce-partitionkey": "x" })).toBe(false);
    expect(isCloudEvent({ "Ce-Id": "1" })).toBe(true);
    expect(isCloudEvent({ "content-type": "Application/CloudEvents+json" })).toBe(true);
    expect(isCloudEvent({ "content-type": "application/cloudevents-batch+json" })).toBe(true);
    expect(isBatch({ "Content-Type": "application/cloudevents-batch+json;charset=utf-8" })).toBe(true);
    expect(isBatch({ "content-type": "application/cloudevents+json" })).toBe(false);
  });
});

describe("encoding", () => {
  const event: Event = {
    specversion: "1.0",
    id: "1",
    source: "/a",
    type: "t",
    extensions: {},
    data: { a: "é" },
  };

  test("a media type left unsaid is made explicit", () => {
    expect(encodeBinary(event).headers["content-type"]).toBe("application/json");
    expect(encodeStructured(event).body.toString()).toContain('"datacontenttype":"application/json"');
    expect(encodeBinary({ ...event, data: Buffer.from("x") }).headers["content-type"]).toBe(
      "application/octet-stream",
    );
    expect(encodeBinary({ ...event, data: undefined }).headers).not.toHaveProperty("content-type");
  });

  test.for([
    ["a newline in an attribute", { subject: "a\nb" }, "EVENT_ATTRIBUTE_INVALID"],
    ["an extension with a bad name", { extensions: { "a-b": "x" } }, "EVENT_ATTRIBUTE_INVALID"],
    ["data that is no JSON", { data: () => 1 }, "EVENT_DATA_INVALID"],
    ["data with a big integer", { data: { a: 1n } }, "EVENT_DATA_INVALID"],
    ["data with an unpaired surrogate", { data: "\ud800" }, "EVENT_BODY_INVALID"],
    [
      "data with a member named __proto__",
      { data: JSON.parse('{"__proto__":1}') as unknown },
      "EVENT_BODY_INVALID",
    ],
    ["text that is an object", { datacontenttype: "text/plain" }, "EVENT_BODY_INVALID"],
    ["bytes that are text", { datacontenttype: "image/png", data: "x" }, "EVENT_BODY_INVALID"],
    [
      "data that is too deep",
      { data: JSON.parse("[".repeat(65) + "]".repeat(65)) as unknown },
      "EVENT_TOO_DEEP",
    ],
  ] as const)("%s is refused in each mode", ([, members, code]) => {
    for (const encode of [encodeBinary, encodeStructured, (bad: Event) => encodeBatch([bad])]) {
      expect(() => encode({ ...event, ...members })).toThrow(expect.objectContaining({ code }));
    }
  });

  test("a text that merely looks like an escape is sent", () => {
    const data = { a: "\\ud800", b: "__proto__" };
    expect(decodeRequest(encodeBinary({ ...event, data })).data).toEqual(data);
  });
});
