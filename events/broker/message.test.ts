import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { MessageError, normalizeTime } from "./ingress-rules.ts";
import { readDraft, toMessage, toRequest } from "./message.ts";
import { rawMember } from "./raw-json.ts";

const fields = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

describe("a time", () => {
  test.for([
    ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"],
    ["2026-11-21T12:00:00.120Z", "2026-11-21T12:00:00.12Z"],
    ["2026-11-21T12:00:00.000Z", "2026-11-21T12:00:00Z"],
    ["2026-11-21T12:00:00.1234567899Z", "2026-11-21T12:00:00.123456789Z"],
    ["2026-11-21T01:30:00.5+02:00", "2026-11-20T23:30:00.5Z"],
    ["2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"],
    ["2026-11-21 12:00:00Z", undefined],
    ["2026-11-21T12:00:00", undefined],
    ["2026-11-21T24:00:00Z", undefined],
    ["2026-13-01T00:00:00Z", undefined],
    ["9999-12-31T23:59:59-01:00", undefined],
    ["", undefined],
  ] as const)("%s is written as %s", ([text, expected]) => {
    expect(normalizeTime(text)).toBe(expected);
  });
});

describe("the source text of a member", () => {
  test("is what stands there, white space around it left out", () => {
    const json = ` { "a" : [1, {"data": "}"}] , "d\\u0061ta" :  {"x": "\\"]" , "y":[ ]}  , "z":null}`;
    expect(rawMember(json, "data")).toBe(`{"x": "\\"]" , "y":[ ]}`);
    expect(rawMember(json, "z")).toBe("null");
    expect(rawMember(json, "missing")).toBeUndefined();
    expect(rawMember("{}", "data")).toBeUndefined();
    expect(rawMember(`{"data":1,"data": 2.50}`, "data")).toBe("2.50");
  });

  test("parses to what the member is, in any object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (object, indent) => {
        const json = JSON.stringify(object, undefined, indent);
        for (const [name, value] of Object.entries(object)) {
          expect(JSON.stringify(JSON.parse(rawMember(json, name) ?? ""))).toBe(JSON.stringify(value));
        }
      }),
    );
  });
});

describe("an event", () => {
  const attribute = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter((text) => !/\p{Control}/u.test(text));

  test("comes through as it went in, whatever its attributes and bytes", () => {
    fc.assert(
      fc.property(attribute, attribute, fc.uint8Array(), (id, subject, bytes) => {
        const message = {
          headers: {
            specversion: "1.0",
            id,
            source: "/s",
            type: "t",
            subject,
            time: "2026-11-21T12:00:00Z",
            "content-type": "application/octet-stream",
          },
          body: Buffer.from(bytes),
        };
        const request = toRequest(message, { escape: false });
        const draft = request && readDraft({ headers: fields(request.headers), body: request.body });
        expect(draft && toMessage(draft)).toEqual(message);
      }),
    );
  });

  test("or nothing else than an error of its own, whatever the request", () => {
    const name = fc.constantFrom(
      "content-type",
      "ce-id",
      "ce-type",
      "ce-source",
      "ce-specversion",
      "ce-time",
      "ce-x",
      "traceparent",
    );
    const value = fc.oneof(
      fc.constantFrom(
        "1.0",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "text/plain",
      ),
      fc.string(),
    );
    const body = fc.oneof(fc.string(), fc.json(), fc.uint8Array());
    fc.assert(
      fc.property(fc.dictionary(name, value), body, (headers, content) => {
        try {
          const draft = readDraft({ headers: fields(headers), body: Buffer.from(content as string) });
          if (draft) toMessage(draft);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
        }
      }),
    );
  });

  test("of JSON nested 10,000 levels deep is passed on untouched", () => {
    const data = "[".repeat(10_000) + "]".repeat(10_000);
    const body = Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${data}}`);
    const draft = readDraft({ headers: fields({ "content-type": "application/cloudevents+json" }), body });
    expect(draft && toMessage(draft).body.toString()).toBe(data);
  });
});
