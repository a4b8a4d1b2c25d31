import { describe, expect, test } from "vitest";

import { binary, refusalOf, structured } from "../test/support/http-messages.ts";
import { decodeRequest } from "./http.ts";

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
