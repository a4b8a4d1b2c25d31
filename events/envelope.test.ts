import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { contracts } from "./contracts.ts";
import { alertRaised } from "./contracts/alert-raised.ts";
import { type AuditRecorded, auditRecorded } from "./contracts/audit-recorded.ts";
import { asAttribute, createEvent, type NewEvent, parseEvent } from "./envelope.ts";
import { decodeRequest, encodeBinary } from "./http.ts";
import { InvalidEventError } from "./invalid-event.ts";

const given: NewEvent<AuditRecorded> = {
  id: "e-1",
  source: "/auditflow/generator",
  time: "2026-11-21T12:00:00.000Z",
  subject: "user_login/root",
  data: { event_type: "user_login" },
};

describe("an event to emit", () => {
  test("has the contract's type and says that its data are JSON", () => {
    expect(createEvent(auditRecorded, { ...given, extensions: { causationid: "e-0" } })).toEqual({
      ...given,
      specversion: "1.0",
      type: "io.auditflow.audit.recorded.v1",
      datacontenttype: "application/json",
      extensions: { causationid: "e-0" },
    });
  });

  test.for([
    ["an id that is not ASCII", { id: "é" }, "/id"],
    ["an empty id", { id: "" }, "/id"],
    ["a subject with a newline", { subject: "a\nb" }, "/subject"],
    ["a subject that is not ASCII", { subject: "Ünal" }, "/subject"],
    ["a source that is no URI-reference", { source: "/a b" }, "/source"],
    ["a time of another form", { time: "now" }, "/time"],
    ["an extension that is not ASCII", { extensions: { a: "é" } }, "/a"],
    ["an extension with a bad name", { extensions: { "a-b": "x" } }, "/a-b"],
  ] as const)("%s is refused", ([, members, pointer]) => {
    expect(() => createEvent(auditRecorded, { ...given, ...members })).toThrow(
      expect.objectContaining({ code: "EVENT_ATTRIBUTE_INVALID", pointer }),
    );
  });

  test("data that break the contract are refused", () => {
    expect(() => createEvent(auditRecorded, { ...given, data: { event_type: "" } })).toThrow(
      expect.objectContaining({
        code: "EVENT_DATA_INVALID",
        pointer: "/data/event_type",
        event: expect.objectContaining({ id: "e-1" }) as unknown,
      }),
    );
  });
});

describe("a text as an attribute", () => {
  test("is accepted on an event and stays what it was, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 50 }), (text) => {
        const id = asAttribute(text);
        expect(decodeRequest(encodeBinary(createEvent(auditRecorded, { ...given, id }))).id).toBe(id);
        expect(decodeURIComponent(id)).toBe(text);
      }),
    );
  });

  test("that is plain is left alone", () => {
    expect(asAttribute("user_login/root@host")).toBe("user_login/root@host");
    expect(asAttribute("50% off")).toBe("50%25%20off");
  });
});

describe("an event that was read", () => {
  const event = createEvent(auditRecorded, given);

  test("is admitted by the contract of its type, with fields the contract does not know", () => {
    const data = { event_type: "user_login", colour: "red", details: { deep: { er: 1 } } };
    expect(parseEvent(contracts, { ...event, data })).toEqual({ ...event, data });
  });

  test("of an unknown type is refused, and the known ones are named", () => {
    expect(() => parseEvent([auditRecorded, alertRaised], { ...event, type: "com.example" })).toThrow(
      expect.objectContaining({
        code: "EVENT_TYPE_UNKNOWN",
        pointer: "/type",
        message:
          'Type "com.example" is not accepted here: expected one of io.auditflow.audit.recorded.v1, io.auditflow.alert.raised.v1.',
      }),
    );
  });

  test.for([
    ["text", "x"],
    ["nothing", undefined],
    ["null", null],
    ["an array", []],
    ["bytes", Buffer.from("{}")],
  ] as const)("with %s for data is refused", ([, data]) => {
    expect(() => parseEvent(contracts, { ...event, data })).toThrow(
      expect.objectContaining({ code: "EVENT_DATA_INVALID", pointer: "/data" }),
    );
  });

  test("names the first five of its problems", () => {
    const data = { event_type: 5, user_id: 1, severity: 2, resource: 3, client_ip: 4, tenant: 5, count: -1 };
    expect.assertions(3);
    try {
      parseEvent(contracts, { ...event, data });
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidEventError);
      expect(error).toMatchObject({
        event: { id: "e-1", type: event.type },
        message: expect.stringMatching(/; and 2 more$/) as unknown,
      });
      expect(String(error)).toMatch(/event_type: Invalid input: expected string, received number/);
    }
  });

  test("is not changed by a member called __proto__", () => {
    const data: unknown = JSON.parse(
      '{"event_type":"x","__proto__":{"user_id":"root"},"details":{"__proto__":{"a":1}}}',
    );
    const parsed = parseEvent([auditRecorded], { ...event, data });
    expect(parsed.data.user_id).toBeUndefined();
    expect(Object.getPrototypeOf(parsed.data)).toBe(Object.prototype);
    expect(parsed.data.details?.["a"]).toBeUndefined();
  });
});
