import { describe, expect, test } from "vitest";

import { refusalOf, structured } from "../test/support/http-messages.ts";
import { decodeRequest } from "./http.ts";

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
    ["an event for data", { datacontenttype: "application/CloudEvents+json", data: {} }, "/datacontenttype"],
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
