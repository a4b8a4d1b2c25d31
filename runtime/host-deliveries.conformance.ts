import { describe, expect, test } from "vitest";

import { alertRaised } from "../events/contracts/alert-raised.ts";
import {
  attributes,
  envelope,
  eventOf,
  mebibyte,
  padded,
  quiet,
  sendRaw,
  span,
  structured,
  structuredHeaders,
  trace,
  type UnderTest,
} from "./host-client.testing.ts";

/** Deliveries that hold a valid event: the failure table. */
export function describeDeliveries(under: UnderTest): void {
  describe("a delivery", () => {
    test.for([
      ["no event", "quiet", 204, "none"],
      ["one event", "reply", 200, "replied"],
      ["a dependency that is away", "away", 503, "unavailable"],
      ["an unexpected failure", "fails", 500, "failed"],
      ["a thrown text", "throws-text", 500, "failed"],
      ["a handler that never ends", "hangs", 503, "timeout"],
      ["a handler that ends when told", "waits-for-signal", 503, "timeout"],
      ["an invalid event of the function's own making", "makes-invalid", 500, "failed"],
      ["an event of a type the function does not declare", "emits-undeclared", 500, "failed"],
      ["a refusal", "refuse", 200, "rejected"],
    ] as const)("with %s is answered as the failure table says", async ([, behaviour, status, outcome]) => {
      const counter = `auditflow_events_handled_total{outcome="${outcome}"`;
      const before = await under.client.metric(counter);
      const reply = await under.client.deliver({ event_type: behaviour });
      expect(reply.status).toBe(status);
      expect(await under.client.metric(counter)).toBe(before + 1);
      await under.client.expectAlive();
    });

    test("that may pass later says when to come again", async () => {
      expect((await under.client.deliver({ event_type: "away" })).headers.get("retry-after")).toBe("3");
    });

    test("with one event gets it as the reply, linked to its cause and trace", async () => {
      const traceparent = `00-${trace}-${span}-01`;
      const reply = await under.client.deliver(
        { event_type: "reply" },
        { ...envelope, traceparent, tracestate: "a=b" },
      );
      const event = eventOf(reply);
      expect(event).toMatchObject({ type: alertRaised.type, datacontenttype: "application/json" });
      expect(event.extensions).toMatchObject({ correlationid: "e-1", causationid: "e-1", tracestate: "a=b" });
      expect(event.extensions["traceparent"]).toMatch(new RegExp(`^00-${trace}-(?!${span})[0-9a-f]{16}-01$`));
    });

    test("continues the trace the event itself carries, when no header does", async () => {
      const event = { ...structured, traceparent: `00-${trace}-${span}-01`, data: { event_type: "reply" } };
      const reply = await under.client.post(structuredHeaders, JSON.stringify(event));
      expect(eventOf(reply).extensions["traceparent"]).toContain(trace);
    });

    test.for([`00-${"0".repeat(32)}-${span}-01`, `ff-${trace}-${span}-01`, `00-${trace}-${span}`, "x"])(
      "with the broken traceparent %s begins a trace",
      async (traceparent) => {
        const reply = await under.client.deliver({ event_type: "reply" }, { ...envelope, traceparent });
        const continued = eventOf(reply).extensions["traceparent"];
        expect(continued).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
        expect(continued).not.toContain(trace);
      },
    );

    test("with more events is answered once the sink has confirmed each", async () => {
      const before = under.client.sink.received.length;
      const reply = await under.client.deliver(
        { event_type: "many" },
        { ...envelope, traceparent: `00-${trace}-${span}-01` },
      );
      expect([reply.status, reply.body.length]).toEqual([204, 0]);
      const sent = under.client.sink.received.slice(before);
      expect(sent).toHaveLength(2);
      expect(sent.every((event) => String(event.extensions["traceparent"]).includes(trace))).toBe(true);
    });

    test("whose events the sink does not take comes again", async () => {
      under.client.sink.answer = 500;
      const reply = await under.client.deliver({ event_type: "many" });
      under.client.sink.answer = 202;
      expect(reply.status).toBe(503);
    });

    test("of a structured event is handled like that of a binary one", async () => {
      expect((await under.client.post(structuredHeaders, JSON.stringify(structured))).status).toBe(204);
    });

    test("may be as large as the limit", async () => {
      expect((await under.client.post(envelope, padded(mebibyte))).status).toBe(204);
    });

    test("may come without a Content-Type", async () => {
      expect((await sendRaw(under.client.url, attributes, quiet)).status).toBe(204);
    });

    test("may repeat a member: the last one counts", async () => {
      expect((await under.client.post(envelope, `{"event_type":5,"event_type":"quiet"}`)).status).toBe(204);
    });
  });
}
