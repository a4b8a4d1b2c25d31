import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { eventRejected } from "../events/contracts/event-rejected.ts";
import {
  envelope,
  mebibyte,
  padded,
  quiet,
  recordOf,
  sendRaw,
  span,
  structured,
  structuredHeaders,
  trace,
  without,
  type UnderTest,
} from "./host-client.testing.ts";

/** Deliveries that can never be handled. */
export function describeRejections(under: UnderTest): void {
  describe("what can never be handled", () => {
    test.for(["ce-specversion", "ce-id", "ce-source", "ce-type"])(
      "a request without %s is rejected",
      async (header) => {
        expect(
          await under.client.rejectionOf(() => under.client.post(without(envelope, header), quiet)),
        ).toMatchObject({ code: "EVENT_ATTRIBUTE_MISSING" });
      },
    );

    test.for([
      ["ce-specversion", "0.3"],
      ["ce-id", ""],
      ["ce-source", ""],
      ["ce-source", "not a uri"],
      ["ce-type", ""],
      ["ce-time", "yesterday"],
      ["ce-time", ""],
      ["ce-subject", ""],
      ["ce-dataschema", "relative"],
      ["ce-bad_name", "x"],
      ["ce-id", "x".repeat(9000)],
    ] as const)("a request whose %s is %j is rejected", async ([header, value]) => {
      expect(
        await under.client.rejectionOf(() =>
          sendRaw(under.client.url, { ...envelope, [header]: value }, quiet),
        ),
      ).toMatchObject({ code: "EVENT_ATTRIBUTE_INVALID" });
    });

    test("an unknown type is rejected", async () => {
      const { code: told, event } = await under.client.rejectionOf(() =>
        under.client.post({ ...envelope, "ce-type": "com.example.unknown" }, quiet),
      );
      expect(told).toBe("EVENT_TYPE_UNKNOWN");
      expect(event).toMatchObject({ id: "e-1", source: "/test/source", type: "com.example.unknown" });
    });

    test.for([
      ["an array", "[]", "EVENT_DATA_INVALID"],
      ["a string", '"text"', "EVENT_DATA_INVALID"],
      ["a number", "5", "EVENT_DATA_INVALID"],
      ["null", "null", "EVENT_DATA_INVALID"],
      ["empty", "", "EVENT_DATA_INVALID"],
      ["an object without event_type", "{}", "EVENT_DATA_INVALID"],
      ["wrong in the type of a field", '{"event_type":5}', "EVENT_DATA_INVALID"],
      ["huge in a field", `{"event_type":"${"x".repeat(100_000)}"}`, "EVENT_DATA_INVALID"],
      ["broken off", '{"event_type":', "EVENT_BODY_INVALID"],
      [
        "10,000 arrays deep",
        `{"event_type":"quiet","x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
        "EVENT_TOO_DEEP",
      ],
      ["10,000 objects deep", `${'{"x":'.repeat(10_000)}1${"}".repeat(10_000)}`, "EVENT_TOO_DEEP"],
      ["carrying __proto__", '{"event_type":"quiet","__proto__":{"admin":true}}', "EVENT_BODY_INVALID"],
      [
        "carrying an unpaired surrogate",
        String.raw`{"event_type":"quiet","x":"\ud800"}`,
        "EVENT_BODY_INVALID",
      ],
      ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "EVENT_BODY_INVALID"],
    ] as const)("a body that is %s is rejected", async ([, body, code]) => {
      const { code: told, request } = await under.client.rejectionOf(() => under.client.post(envelope, body));
      expect(told).toBe(code);
      expect(Buffer.from(request.body_base64, "base64").equals(Buffer.from(body))).toBe(true);
      expect(request.truncated).toBeUndefined();
    });

    test.for([
      ["text/plain", "EVENT_DATA_INVALID"],
      ["application/xml", "EVENT_DATA_INVALID"],
      ["application/x-www-form-urlencoded", "EVENT_DATA_INVALID"],
      ["multipart/form-data; boundary=x", "EVENT_DATA_INVALID"],
      ["nonsense", "EVENT_ATTRIBUTE_INVALID"],
      ["application/json; charset=nonsense", undefined],
      ["application/cloudevents-batch+json", "EVENT_MODE_UNSUPPORTED"],
      ["application/cloudevents+avro", "EVENT_MODE_UNSUPPORTED"],
    ] as const)("the content type %s is judged by the codec alone", async ([contentType, code]) => {
      const request = () => under.client.post({ ...envelope, "content-type": contentType }, quiet);
      if (code === undefined) expect((await request()).status).toBe(204);
      else expect(await under.client.rejectionOf(request)).toMatchObject({ code: code });
    });

    test.for([
      ["an array", "[]"],
      ["a string", '"text"'],
      ["empty", ""],
      ["broken off", "{"],
      ["deep", `${'{"x":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ] as const)("a structured body that is %s is rejected", async ([, body]) => {
      const reply = await under.client.post(structuredHeaders, body);
      expect(recordOf(reply).data.code).toMatch(
        /^EVENT_(BODY_INVALID|TOO_DEEP|ATTRIBUTE_MISSING|ATTRIBUTE_INVALID)$/,
      );
      await under.client.expectAlive();
    });

    test.for(["specversion", "id", "source", "type"])(
      "a structured event without %s is rejected",
      async (member) => {
        const body = JSON.stringify({ ...structured, [member]: undefined });
        expect(
          await under.client.rejectionOf(() => under.client.post(structuredHeaders, body)),
        ).toMatchObject({ code: "EVENT_ATTRIBUTE_MISSING" });
      },
    );

    test.for([
      ["id", 5],
      ["source", { a: 1 }],
      ["type", []],
      ["time", "x"],
      ["id", "x".repeat(50_000)],
    ] as const)("a structured event whose %s is wrong is rejected", async ([member, value]) => {
      const body = JSON.stringify({ ...structured, [member]: value });
      expect(await under.client.rejectionOf(() => under.client.post(structuredHeaders, body))).toMatchObject({
        code: "EVENT_ATTRIBUTE_INVALID",
      });
    });

    test("a compressed body is rejected", async () => {
      const headers = { ...envelope, "content-encoding": "gzip" };
      expect(await under.client.rejectionOf(() => under.client.post(headers, gzipSync(quiet)))).toMatchObject(
        { code: "EVENT_BODY_INVALID" },
      );
    });

    test.for([
      ["with its length", {}],
      ["in chunks", { "transfer-encoding": "chunked" }],
    ] as const)(
      "a body one byte over the limit, sent %s, is rejected with its beginning",
      async ([, headers]) => {
        const {
          code: told,
          request,
          event,
        } = await under.client.rejectionOf(() =>
          sendRaw(under.client.url, { ...envelope, ...headers }, padded(mebibyte + 1)),
        );
        expect(told).toBe("EVENT_TOO_LARGE");
        expect(request.truncated).toBe(true);
        expect(Buffer.from(request.body_base64, "base64").toString()).toBe(
          padded(mebibyte + 1).slice(0, 524_288),
        );
        expect(event.id).toBe("e-1");
      },
    );

    test("the record names what could not be handled, where, and how it came", async () => {
      const rejected = await under.client.rejectionOf(() =>
        under.client.deliver({ event_type: "refuse" }, { ...envelope, authorization: "Bearer secret" }),
      );
      expect(rejected.code).toBe("ECHO_REFUSED");
      expect(rejected).toMatchObject({
        function: "echo",
        pointer: "/data/event_type",
        detail: "refused \ufffd as asked",
      });
      expect(rejected.request.headers).toMatchObject(envelope);
      expect(JSON.stringify(rejected)).not.toContain("secret");
    });

    test("a refusal whose code is no code is recorded under a general one", async () => {
      expect(
        await under.client.rejectionOf(() => under.client.deliver({ event_type: "misnamed" })),
      ).toMatchObject({ code: "EVENT_REFUSED" });
    });

    test("a redelivery gives the same record, whatever a dispatcher adds", async () => {
      const first = await under.client.post(without(envelope, "ce-time"), "[1]");
      const again = await under.client.post(
        { ...envelope, "ce-time": "2026-11-21T12:34:56Z", traceparent: `00-${trace}-${span}-01` },
        "[1]",
      );
      const other = await under.client.post(envelope, "[2]");
      expect(recordOf(again).id).toBe(recordOf(first).id);
      expect(recordOf(other).id).not.toBe(recordOf(first).id);
    });

    test("a request that names no event is known by its bytes", async () => {
      const [first, again, other] = [
        await under.client.post({}, "{a"),
        await under.client.post({}, "{a"),
        await under.client.post({}, "{b"),
      ];
      expect(recordOf(again).id).toBe(recordOf(first).id);
      expect(recordOf(other).id).not.toBe(recordOf(first).id);
      expect(recordOf(first).data.event).toEqual({});
      const dated = await under.client.post({ "ce-time": "2026-11-21T12:34:56Z" }, "{a");
      expect(recordOf(dated)).toMatchObject({
        id: recordOf(first).id,
        data: { event: { time: expect.any(String) as string } },
      });
    });

    test.for([
      ["broken", "{}"],
      ["refused by the handler", JSON.stringify(eventRejected.examples[0])],
    ] as const)(
      "the record of a rejection that is %s is not rejected in turn: it comes again",
      async ([, body]) => {
        const reply = await under.client.post({ ...envelope, "ce-type": eventRejected.type }, body);
        expect([reply.status, reply.body.length]).toEqual([500, 0]);
        await under.client.expectAlive();
      },
    );

    test("series are bounded, whatever types are sent", async () => {
      for (let index = 0; index < 30; index++)
        await under.client.post({ ...envelope, "ce-type": `com.example.t${index}` }, quiet);
      const text = (await under.client.get("/metrics")).body.toString();
      expect(text.match(/^auditflow_events_received_total\{/gm)?.length).toBeLessThanOrEqual(3);
    });
  });
}
