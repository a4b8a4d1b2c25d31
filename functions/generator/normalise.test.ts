import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeRequest, encodeBinary, encodeStructured } from "../../events/http.ts";
import { parseJson } from "../../events/json.ts";
import { type AuditEvent, fromAuditEvent, fromCloudEvent } from "./normalise.ts";

const receivedAt = Date.parse("2026-11-21T12:00:00Z");
const arrival = { receivedAt, newId: () => "01920000-0000-7000-8000-000000000000" };

const text = fc.string({ unit: "grapheme", maxLength: 100 });
const auditEvent = fc
  .record(
    {
      event_id: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
      timestamp: fc.oneof(
        fc
          .date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true })
          .map((date) => date.toISOString()),
        fc.integer({ min: 1, max: 4_000_000_000_000 }),
        fc.constant(null),
      ),
      source_service: fc.option(text),
      server_hostname: fc.option(text),
      event_type: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/),
      severity: text,
      user_id: fc.option(text),
      details: fc.dictionary(text, fc.jsonValue()),
      tenant: text,
      of_somebody_else: fc.jsonValue(),
    },
    { requiredKeys: ["event_type"] },
  )
  // As it arrives: only what JSON can carry and the codec lets in.
  .map((value) => Buffer.from(JSON.stringify(value)))
  .filter(isReadable)
  .map((bytes) => parseJson(bytes) as Record<string, unknown>);

function isReadable(bytes: Buffer): boolean {
  try {
    parseJson(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Members the generator may set when the client did not, or wrote null. */
const ours = new Set(["event_id", "id_generated", "time_generated"]);

describe("any audit event that is accepted", () => {
  test("keeps every member the client wrote, as it was", () => {
    fc.assert(
      fc.property(auditEvent, (client) => {
        const { data } = fromAuditEvent(client, arrival);
        for (const [name, value] of Object.entries(client)) {
          if (!ours.has(name) || value !== null) expect(data).toHaveProperty([name], value);
        }
        const added = Object.keys(data).filter((name) => !Object.hasOwn(client, name));
        expect(added.filter((name) => !ours.has(name))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("travels unchanged, in headers as in JSON", () => {
    fc.assert(
      fc.property(auditEvent, (client) => {
        const event = fromAuditEvent(client, arrival);
        expect(decodeRequest(encodeStructured(event))).toEqual(event);
        const { extensions, ...rest } = decodeRequest(encodeBinary(event));
        expect(rest).toEqual({ ...event, extensions: undefined });
        expect(Object.keys(extensions)).toEqual(Object.keys(event.extensions));
      }),
      { numRuns: 500 },
    );
  });

  test("sent twice is the same event with the same data, but for an id that had to be made", () => {
    fc.assert(
      fc.property(auditEvent, fc.integer({ min: 0, max: 1e9 }), (client, later) => {
        const keyed = { ...client, event_id: client["event_id"] ?? "given" };
        const first = fromAuditEvent(keyed, arrival);
        const second = fromAuditEvent(keyed, { ...arrival, receivedAt: receivedAt + later });
        expect(identity(second)).toEqual(identity(first));
      }),
    );
  });
});

test("a CloudEvent keeps its data, id, source, subject, schema and extensions", () => {
  fc.assert(
    fc.property(auditEvent, (client) => {
      const event = decodeRequest({
        headers: { "content-type": "application/cloudevents+json" },
        body: Buffer.from(
          JSON.stringify({
            specversion: "1.0",
            id: "mine",
            source: "urn:mine",
            type: "io.auditflow.audit.recorded.v1",
            subject: "about",
            time: "2026-11-21T11:59:59+01:00",
            dataschema: "https://example.com/schema",
            tenant: "t",
            partitionkey: "p",
            data: client,
          }),
        ),
      });
      expect(fromCloudEvent(event, arrival)).toEqual({ ...event, data: client });
    }),
  );
});

const read = (event: object) => fromAuditEvent({ event_type: "user_login", ...event }, arrival);
function identity({ id, source, type, subject, data }: AuditEvent) {
  return { id, source, type, subject, data };
}

test.for([
  ["RFC 3339", "2026-11-21T11:00:00.5Z", "2026-11-21T11:00:00.500Z"],
  ["another offset", "2026-11-21T12:00:00+01:00", "2026-11-21T11:00:00.000Z"],
  ["the predecessor's two offsets", "2026-11-21T11:00:00+00:00Z", "2026-11-21T11:00:00.000Z"],
  ["a space for the T", "2026-11-21 11:00:00", "2026-11-21T11:00:00.000Z"],
  ["epoch seconds", 1_795_258_800, "2026-11-21T11:00:00.000Z"],
  ["epoch milliseconds", 1_795_258_800_000, "2026-11-21T11:00:00.000Z"],
  ["none", undefined, "2026-11-21T12:00:00.000Z"],
  ["null", null, "2026-11-21T12:00:00.000Z"],
] as const)("a timestamp that is %s gives the time", ([, timestamp, time]) => {
  const event = read({ timestamp });
  expect(event.time).toBe(time);
  expect(event.data.time_generated).toBe(timestamp === undefined || timestamp === null ? true : undefined);
});

test.for([
  ["exactly five minutes ahead", 300_000, undefined],
  ["a millisecond further ahead", 300_001, true],
  ["long past", -1e12, undefined],
] as const)("a clock that is %s: clockskew is %o, outside of the data", ([, aheadMs, expected]) => {
  const event = read({ timestamp: new Date(receivedAt + aheadMs).toISOString() });
  expect(event.extensions["clockskew"]).toBe(expected);
  expect(event.data).not.toHaveProperty("clockskew");
});

test.for([
  ["sshd", "/auditflow/source/sshd"],
  ["my service/ü", "/auditflow/source/my%20service%2F%C3%BC"],
  ["", "/auditflow/generator"],
  [null, "/auditflow/generator"],
  [undefined, "/auditflow/generator"],
] as const)("source_service %o gives the source %s", ([source_service, source]) => {
  expect(read({ source_service }).source).toBe(source);
});

test.for([
  ["ana", "user_login/ana"],
  ["Jürgen Müller", "user_login/J%C3%BCrgen%20M%C3%BCller"],
  ["100%", "user_login/100%25"],
  ["", "user_login"],
  [undefined, "user_login"],
] as const)("user_id %o gives the subject %s", ([user_id, subject]) => {
  expect(read({ user_id }).subject).toBe(subject);
});

test("long names give attributes that fit into headers, and different ones for different names", () => {
  const long = (end: string) =>
    read({ user_id: `${"ü".repeat(1000)}${end}`, source_service: `${"ü".repeat(1000)}${end}` });
  expect(long("a").subject).not.toBe(long("b").subject);
  expect(long("a").source).not.toBe(long("b").source);
  expect(`${long("a").subject}${long("a").source}`.length).toBeLessThan(1200);
});

test("an id that is not plain ASCII is replaced by one derived from it, and stays in the data", () => {
  const event = read({ event_id: "événement-1" });
  expect(event.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(event.data.event_id).toBe("événement-1");
  expect(read({ event_id: "événement-1" }).id).toBe(event.id);
  expect(read({ event_id: "événement-2" }).id).not.toBe(event.id);
});

test("events of one user on one host share a partition key, others do not", () => {
  const key = (event: object) => read(event).extensions["partitionkey"];
  const ana = { user_id: "ana", server_hostname: "edge-1" };
  expect(key({ ...ana, action_result: "SUCCESS" })).toBe(key({ ...ana, action_result: "FAILURE" }));
  expect(key({ ...ana, server_hostname: "edge-2" })).not.toBe(key(ana));
  expect(key({ user_id: "anaedge", server_hostname: "-1" })).not.toBe(key(ana));
  expect(key({})).toBeUndefined();
});
