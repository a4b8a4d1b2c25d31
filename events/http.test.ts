import { describe, expect, test } from "vitest";

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
import type { HttpMessage } from "./http-message.ts";
import { InvalidEventError } from "./invalid-event.ts";

const valid = {
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/my/app",
  "ce-type": "com.example.thing",
  "content-type": "application/json",
};

function binary(headers: HttpMessage["headers"], body: string | Buffer = "{}"): HttpMessage {
  return { headers: { ...valid, ...headers }, body: Buffer.from(body) };
}

function structured(members: object | string, contentType = "application/cloudevents+json"): HttpMessage {
  const event = { specversion: "1.0", id: "e-1", source: "/my/app", type: "com.example.thing" };
  const text = typeof members === "string" ? members : JSON.stringify({ ...event, ...members });
  return { headers: { "content-type": contentType }, body: Buffer.from(text) };
}

function refusalOf(message: HttpMessage): Pick<InvalidEventError, "code" | "pointer"> {
  try {
    const event = decodeRequest(message);
    throw new Error(`was accepted: ${JSON.stringify(event)}`);
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return { code: error.code, pointer: error.pointer };
  }
}

/** What Node makes of a header whose value was sent as raw UTF-8. */
function rawUtf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

describe("attributes in headers", () => {
  test.for([
    ["percent-encoded", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["percent-encoded in lower case", "%e2%82%ac", "€"],
    ["needlessly percent-encoded", "%41bc", "Abc"],
    ["decoded only once", "%2541", "%41"],
    ["as raw UTF-8, as the dispatcher sends it", rawUtf8("Grüße 😀"), "Grüße 😀"],
    ["as latin-1 that is not UTF-8", "Gr\u00fcn", "Grün"],
    ["with a percent sign that escapes nothing", "100%", "100%"],
    ["with two percent signs", "5% of 10%zz", "5% of 10%zz"],
    ["quoted, as older senders do", '"a \\"quoted\\" word"', 'a "quoted" word'],
    ["with a quote inside", 'a"b', 'a"b'],
    ["with spaces", "a b", "a b"],
  ] as const)("a value %s is read", ([, header, subject]) => {
    expect(decodeRequest(binary({ "ce-subject": header })).subject).toBe(subject);
  });

  test.for([
    ["escapes that are not UTF-8", "%C0%A0"],
    ["an escape of half a character", "a%E2%82"],
    ["an escaped newline", "a%0Ab"],
    ["a control character", "a\u0001b"],
    ["a C1 control character as UTF-8", rawUtf8("a\u0085")],
    ["a noncharacter", "%EF%BF%BE"],
    ["an unpaired surrogate", "\ud800"],
    ["nothing", ""],
    ["more than headers can carry", "x".repeat(9000)],
    ["more than headers can carry when encoded", rawUtf8("é".repeat(1500))],
  ] as const)("a subject of %s is refused", ([, header]) => {
    expect(refusalOf(binary({ "ce-subject": header })).code).toBe("EVENT_ATTRIBUTE_INVALID");
  });

  test("a source with escapes of its own is read from a compliant sender and from the dispatcher", () => {
    expect(decodeRequest(binary({ "ce-source": "/m%25C3%25BCller" })).source).toBe("/m%C3%BCller");
    expect(decodeRequest(binary({ "ce-source": "/m%C3%BCller" })).source).toBe("/m%C3%BCller");
    expect(decodeRequest(binary({ "ce-source": "/a%20b" })).source).toBe("/a%20b");
  });

  test("names are read in any case", () => {
    const headers = {
      "CE-ID": "7",
      "Ce-Source": "/a",
      "ce-Type": "t",
      "CE-SpecVersion": "1.0",
      "Ce-Some1": "x",
    };
    const event = decodeRequest({
      headers: { ...headers, "Content-Type": "text/plain" },
      body: Buffer.from("hi"),
    });
    expect(event).toMatchObject({ id: "7", source: "/a", type: "t", extensions: { some1: "x" }, data: "hi" });
  });

  test.for([
    ["id", { "ce-id": undefined }],
    ["source", { "ce-source": undefined }],
    ["type", { "ce-type": undefined }],
    ["specversion", { "ce-specversion": undefined }],
  ] as const)("an event without %s is refused", ([name, headers]) => {
    expect(refusalOf(binary(headers))).toEqual({ code: "EVENT_ATTRIBUTE_MISSING", pointer: `/${name}` });
  });

  test.for([
    ["an empty id", { "ce-id": "" }, "/id"],
    ["an empty source", { "ce-source": "" }, "/source"],
    ["version 0.3", { "ce-specversion": "0.3" }, "/specversion"],
    ["version 2.0", { "ce-specversion": "2.0" }, "/specversion"],
    ["a source with a space", { "ce-source": "/a b" }, "/source"],
    ["a source that is no URI-reference", { "ce-source": "1a:b" }, "/source"],
    ["a time without an offset", { "ce-time": "2026-11-21T12:00:00" }, "/time"],
    ["a day that does not exist", { "ce-time": "2026-02-30T12:00:00Z" }, "/time"],
    ["the predecessor's clock in time", { "ce-time": "2026-11-21T12:00:00+00:00Z" }, "/time"],
    ["a relative dataschema", { "ce-dataschema": "/schema.json" }, "/dataschema"],
    ["a media type without a subtype", { "content-type": "json" }, "/datacontenttype"],
    ["datacontenttype as a header of its own", { "ce-datacontenttype": "text/xml" }, "/datacontenttype"],
    ["an extension called data", { "ce-data": "x" }, "/data"],
    ["an extension with an underscore", { "ce-some_name": "x" }, "/some_name"],
    ["an extension without a name", { "ce-": "x" }, "/"],
    [
      "an extension called __proto__",
      JSON.parse('{"ce-__proto__":"x"}') as Record<string, string>,
      "/__proto__",
    ],
    ["a name twice, in different case", { "CE-ID": "other" }, "/id"],
    ["an extension twice", { "ce-a": "1", "CE-A": "2" }, "/a"],
    ["a header with several values", { "ce-id": ["a", "b"] }, "/id"],
  ] as const)("%s is refused, and the place named", ([, headers, pointer]) => {
    expect(refusalOf(binary(headers))).toEqual({ code: "EVENT_ATTRIBUTE_INVALID", pointer });
  });

  test("a message of an error is one short line that quotes the value", () => {
    expect(() => decodeRequest(binary({ "ce-time": "yesterday" }))).toThrow(
      'Attribute time: expected an RFC 3339 date and time such as "2026-11-21T12:00:00Z", got "yesterday".',
    );
    expect(() => decodeRequest(binary({ "ce-source": ` ${"x".repeat(5000)}` }))).toThrow(/^.{1,200}$/);
  });

  test("an error tells which event it is about, as far as that can be read", () => {
    expect.assertions(1);
    try {
      decodeRequest(binary({ "ce-time": "yesterday", "ce-id": "caf%C3%A9" }));
    } catch (error) {
      expect(error).toMatchObject({ event: { id: "café", source: "/my/app", type: "com.example.thing" } });
    }
  });

  test("a missing time stays missing", () => {
    expect(decodeRequest(binary({})).time).toBeUndefined();
  });

  test("constructor is an extension like any other", () => {
    expect(decodeRequest(binary({ "ce-constructor": "x" })).extensions["constructor"]).toBe("x");
  });
});

describe("data in binary mode", () => {
  const none = { "content-type": undefined };
  test.for([
    ["JSON", {}, ' {"a":1}', { a: 1 }, "application/json"],
    ["a JSON number", {}, "5", 5, "application/json"],
    ["a JSON null", {}, "null", null, "application/json"],
    [
      "JSON of another type",
      { "content-type": "application/vnd.x+json" },
      "[]",
      [],
      "application/vnd.x+json",
    ],
    ["JSON in capitals", { "content-type": "APPLICATION/JSON" }, "[]", [], "APPLICATION/JSON"],
    [
      "JSON with a parameter",
      { "content-type": "application/json; charset=UTF-8" },
      "1",
      1,
      "application/json; charset=UTF-8",
    ],
    ["no body", {}, "", undefined, "application/json"],
    ["text", { "content-type": "text/plain" }, "é", "é", "text/plain"],
    ["empty text", { "content-type": "text/plain" }, "", "", "text/plain"],
    ["JSON without a Content-Type", none, '{"a":1}', { a: 1 }, "application/json"],
    ["JSON with an empty Content-Type", { "content-type": "" }, '{"a":1}', { a: 1 }, "application/json"],
    ["neither body nor Content-Type", none, "", undefined, undefined],
    ["duplicate members, of which the last counts", {}, '{"a":1,"a":2}', { a: 2 }, "application/json"],
  ] as const)("%s", ([, headers, body, data, datacontenttype]) => {
    const event = decodeRequest(binary(headers, body));
    expect(event.data).toStrictEqual(data);
    expect(event.datacontenttype).toBe(datacontenttype);
  });

  test("anything else stays bytes", () => {
    const bytes = Buffer.from([0xff, 0x00, 0x7b]);
    expect(decodeRequest(binary({ "content-type": "application/xml" }, bytes)).data).toEqual(bytes);
    expect(decodeRequest(binary({ "content-type": "text/plain;charset=utf-16" }, bytes)).data).toEqual(bytes);
    expect(decodeRequest(binary(none, bytes))).toMatchObject({
      data: bytes,
      datacontenttype: "application/octet-stream",
    });
    expect(decodeRequest(binary(none, "no JSON"))).toMatchObject({
      datacontenttype: "application/octet-stream",
    });
  });

  test.for([
    ["that is not JSON", {}, "{a}"],
    ["that is not UTF-8", {}, Buffer.from([0x22, 0xff, 0x22])],
    ["that begins with a byte order mark", {}, "\uFEFF{}"],
    ["with an unpaired surrogate", {}, '{"a":"\\ud800"}'],
    ["with a name that has an unpaired surrogate", {}, '{"\\udc00":1}'],
    ["with a number that is too large", {}, '{"a":[1e400]}'],
    ["with a very long number", {}, `[${"9".repeat(400)}]`],
    ["with a member named __proto__", {}, '{"a":{"__proto__":{"admin":true}}}'],
    ["with __proto__ in escapes", {}, '{"\\u005f_proto__":1}'],
    ["compressed, as the header says", { "content-encoding": "gzip" }, Buffer.from([0x1f, 0x8b, 0x08, 0x00])],
    ["compressed, though no header says so", {}, Buffer.from([0x1f, 0x8b, 0x08, 0x00])],
    ["of text that is not UTF-8", { "content-type": "text/plain" }, Buffer.from([0xff])],
    ["with __proto__ and no Content-Type", none, '{"__proto__":1}'],
  ] as const)("a body %s is refused", ([, headers, body]) => {
    expect(refusalOf(binary(headers, body)).code).toBe("EVENT_BODY_INVALID");
    expect(Object.prototype).not.toHaveProperty("admin");
  });

  test("the place of what is wrong in the data is named", () => {
    expect(refusalOf(binary({}, '{"a/b":[0,{"c~d":1e999}]}')).pointer).toBe("/data/a~1b/1/c~0d");
    expect(refusalOf(structured('{"data":{"a":"\\ud800"}}')).pointer).toBe("/data/a");
  });

  test.for([
    ["64 levels", 64, "accepted"],
    ["65 levels", 65, "EVENT_TOO_DEEP"],
    ["10,000 levels", 10_000, "EVENT_TOO_DEEP"],
    ["a megabyte of levels", 524_288, "EVENT_TOO_DEEP"],
  ] as const)("%s of nesting, in either mode", ([, depth, expected]) => {
    const text = "[".repeat(depth) + "]".repeat(depth);
    const inBinary = binary({}, text);
    const inStructured = structured(`{"specversion":"1.0","id":"1","source":"/a","type":"t","data":${text}}`);
    for (const message of [inBinary, inStructured]) {
      if (expected === "accepted") expect(() => decodeRequest(message)).not.toThrow();
      else expect(refusalOf(message).code).toBe(expected);
    }
  });

  test("many brackets that are not nested are not deep", () => {
    const wide = JSON.stringify({ a: Array.from({ length: 500 }, () => ({ b: ['[{[{\\"['] })) });
    expect(decodeRequest(binary({}, wide)).data).toEqual(JSON.parse(wide));
    const inText = JSON.stringify({ a: "[{".repeat(500) });
    expect(decodeRequest(binary({}, inText)).data).toEqual(JSON.parse(inText));
  });
});

describe("the JSON format", () => {
  test.for([
    ["application/cloudevents+json"],
    ["application/cloudevents+json; charset=utf-8"],
    ["application/cloudevents+json; charset=UTF-8"],
    ["Application/CloudEvents+JSON"],
  ])("is recognised by %s", ([contentType]) => {
    expect(decodeRequest(structured({ data: { a: 1 } }, contentType)).data).toEqual({ a: 1 });
  });

  test("keeps the types of extensions, and takes null for unset", () => {
    const { extensions, subject, time } = decodeRequest(
      structured({ subject: null, time: null, a: 2147483647, b: false, c: "x", d: null }),
    );
    expect({ extensions, subject, time }).toEqual({ extensions: { a: 2147483647, b: false, c: "x" } });
  });

  test.for([
    ["data that is false", { data: false }, false, "application/json"],
    ["data that is empty text", { data: "" }, "", "application/json"],
    ["data that is an explicit null", { data: null }, null, "application/json"],
    ["a JSON text that looks like JSON", { data: "{}" }, "{}", "application/json"],
    ["text", { data: "<a/>", datacontenttype: "text/xml" }, "<a/>", "text/xml"],
    ["JSON in base64", { data_base64: "eyJhIjoxfQ==" }, { a: 1 }, "application/json"],
    ["base64 beside a data that is unset", { data: null, data_base64: "MQ==" }, 1, "application/json"],
    ["data beside a data_base64 that is unset", { data: 1, data_base64: null }, 1, "application/json"],
    ["no data", {}, undefined, undefined],
    ["no data of a type", { datacontenttype: "text/plain" }, undefined, "text/plain"],
  ] as const)("%s", ([, members, data, datacontenttype]) => {
    const event = decodeRequest(structured(members));
    expect(event.data).toStrictEqual(data);
    expect(event.datacontenttype).toBe(datacontenttype);
  });

  test("data that is neither JSON nor text is bytes, whichever member carries it", () => {
    const xml = { datacontenttype: "application/xml" };
    expect(decodeRequest(structured({ ...xml, data: "<é/>" })).data).toEqual(Buffer.from("<é/>"));
    expect(decodeRequest(structured({ ...xml, data_base64: "AP8=" })).data).toEqual(Buffer.from([0, 255]));
  });

  test.for([
    ["data and data_base64 together", { data: 1, data_base64: "MQ==" }],
    ["base64 that is none", { data_base64: "*" }],
    ["base64 without padding", { data_base64: "MQ" }],
    ["data_base64 that is a number", { data_base64: 5 }],
    ["text that is an object", { datacontenttype: "text/plain", data: {} }],
    ["an array for an event", "[]"],
    ["a text for an event", '"x"'],
    ["a null for an event", "null"],
    ["nothing at all", ""],
    ["half an event", '{"specversion":"1.0"'],
  ] as const)("%s is refused", ([, members]) => {
    expect(refusalOf(structured(members)).code).toBe("EVENT_BODY_INVALID");
  });

  test.for([
    ["a number for specversion", { specversion: 1.0 }, "/specversion"],
    ["version 0.3", { specversion: "0.3" }, "/specversion"],
    ["a number for an id", { id: 5 }, "/id"],
    ["an empty type", { type: "" }, "/type"],
    ["a number for a time", { time: 1700000000 }, "/time"],
    ["an object for an extension", { a: {} }, "/a"],
    ["an array for an extension", { a: [] }, "/a"],
    ["a fraction for an extension", { a: 1.5 }, "/a"],
    ["an integer beyond 32 bits", { a: 2147483648 }, "/a"],
    ["an extension in capitals", { Abc: "x" }, "/Abc"],
    ["an extension without a name", { "": "x" }, "/"],
    ["a newline in an extension", { a: "x\ny" }, "/a"],
    ["an id headers cannot carry", { id: "x".repeat(9000) }, undefined],
  ] as const)("%s is refused, and the place named", ([, members, pointer]) => {
    expect(refusalOf(structured(members))).toEqual({ code: "EVENT_ATTRIBUTE_INVALID", pointer });
  });

  test("a missing or unset attribute is missing", () => {
    expect(refusalOf(structured({ id: null }))).toEqual({ code: "EVENT_ATTRIBUTE_MISSING", pointer: "/id" });
    expect(refusalOf(structured("{}")).code).toBe("EVENT_ATTRIBUTE_MISSING");
  });

  test("a member called __proto__ reaches nothing", () => {
    const text = '{"specversion":"1.0","id":"1","source":"/a","type":"t","__proto__":{"admin":true}}';
    expect(refusalOf(structured(text)).code).toBe("EVENT_BODY_INVALID");
    expect(Object.prototype).not.toHaveProperty("admin");
  });
});

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
