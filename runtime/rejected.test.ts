import fc from "fast-check";
import { expect, test } from "vitest";

import { eventRejected } from "../events/contracts/event-rejected.ts";
import { parseEvent } from "../events/envelope.ts";
import { decodeRequest, encodeBinary } from "../events/http.ts";
import { maxBodyBytes } from "./body.ts";
import { createRejected, maxKeptBytes, type Refusal } from "./rejected.ts";

const refusal: Refusal = {
  name: "analysis",
  message: { headers: { "ce-id": "e-1" }, body: Buffer.from("[]") },
  truncated: false,
  rejection: {
    code: "EVENT_DATA_INVALID",
    detail: "wrong",
    pointer: "/data",
    event: { id: "e-1", source: "/s" },
  },
  time: 0,
  extensions: {},
};

test("whatever was refused, and why, the record can be sent and read again", () => {
  // Code units, so that unpaired surrogates are among them.
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 });
  const anything = units.map((codes) => String.fromCharCode(...codes));
  const latin1 = fc.string({
    unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
  });
  const identity = fc.record(
    { id: anything, source: anything, type: anything, time: anything },
    { requiredKeys: [] },
  );
  const headers = fc.dictionary(fc.constantFrom("ce-id", "ce-x", "ce-__proto__", "content-type"), latin1);
  fc.assert(
    fc.property(fc.record({ identity, headers, detail: anything, bytes: fc.uint8Array() }), (refused) => {
      const { detail } = refused;
      const rejection = { code: detail, detail, pointer: detail, event: refused.identity };
      const message = { headers: refused.headers, body: Buffer.from(refused.bytes) };
      const record = createRejected({ ...refusal, message, rejection });
      const read = parseEvent([eventRejected], decodeRequest(encodeBinary(record)));
      expect(Buffer.from(read.data.request.body_base64, "base64").equals(message.body)).toBe(true);
      expect(read.data).toEqual(record.data);
    }),
    { numRuns: 500 },
  );
});

test("the largest record fits into the body limit of the function that stores it", () => {
  const headers = { "ce-id": "\u00ff".repeat(8000), "ce-subject": "\u00ff".repeat(8000) };
  const body = Buffer.alloc(maxBodyBytes, "\u00ff");
  const record = createRejected({ ...refusal, message: { headers, body } });
  expect(record.data.request.truncated).toBe(true);
  expect(Buffer.from(record.data.request.body_base64, "base64")).toHaveLength(maxKeptBytes);
  expect(encodeBinary(record).body.length).toBeLessThan(maxBodyBytes);
});

test("only headers that carry the event are kept", () => {
  const headers = { "ce-id": "1", "content-type": "x/y", authorization: "s", cookie: "s", "x-api-key": "s" };
  const record = createRejected({ ...refusal, message: { headers, body: Buffer.alloc(0) } });
  expect(record.data.request.headers).toEqual({ "ce-id": "1", "content-type": "x/y" });
});

test.for([
  ["the function", { name: "notification" }],
  ["the code", { rejection: { ...refusal.rejection, code: "OTHER" } }],
  ["the event's id", { rejection: { ...refusal.rejection, event: { id: "e-2", source: "/s" } } }],
  ["the event's source", { rejection: { ...refusal.rejection, event: { id: "e-1", source: "/t" } } }],
  ["the body", { message: { ...refusal.message, body: Buffer.from("{}") } }],
] as const)("another value of %s gives another id", ([, change]) => {
  expect(createRejected({ ...refusal, ...change }).id).not.toBe(createRejected(refusal).id);
});

test.for([
  ["time", { time: 5 }],
  ["trace", { extensions: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } }],
  [
    "headers",
    { message: { ...refusal.message, headers: { "ce-id": "e-1", "ce-time": "2026-11-21T12:00:00Z" } } },
  ],
] as const)("a redelivery at another %s gives the same id", ([, change]) => {
  expect(createRejected({ ...refusal, ...change }).id).toBe(createRejected(refusal).id);
});
