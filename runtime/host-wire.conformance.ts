import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";

import { envelope, exchange, quiet, requestHead, sendRaw, type UnderTest } from "./host-client.testing.ts";

/** What only a raw connection can send. */
export function describeWire(under: UnderTest): void {
  describe("over a raw connection", () => {
    test("attributes in raw UTF-8, as the dispatcher sends them, are read", async () => {
      const headers = { ...envelope, "ce-subject": Buffer.from("zürich-東京", "utf8").toString("latin1") };
      expect((await sendRaw(under.client.url, headers, quiet)).status).toBe(204);
    });

    test("attributes whose percent-encoding is no UTF-8 are rejected", async () => {
      const headers = { ...envelope, "ce-subject": "%ff%fe" };
      expect(await under.client.rejectionOf(() => sendRaw(under.client.url, headers, quiet))).toMatchObject({
        code: "EVENT_ATTRIBUTE_INVALID",
      });
    });

    test.for([
      ["a newline in a header", "POST / HTTP/1.1\r\nHost: x\r\nce-id: a\nb\r\n\r\n", 400],
      ["a NUL in a header", "POST / HTTP/1.1\r\nHost: x\r\nce-id: a\u0000b\r\n\r\n", 400],
      ["no HTTP at all", "EHLO x\r\n\r\n", 400],
      ["two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
    ] as const)("%s is no request: refused by the parser and counted", async ([, text, status]) => {
      const counter = `auditflow_http_refused_total{reason="${status}"`;
      const before = await under.client.metric(counter);
      expect((await exchange(under.client.url, Buffer.from(text, "latin1"))).status).toBe(status);
      expect(await under.client.metric(counter)).toBe(before + 1);
      await under.client.expectAlive();
    });

    test("a client that goes away in the middle of its body is counted, not answered", async () => {
      const counter = 'auditflow_events_handled_total{outcome="disconnected"';
      const before = await under.client.metric(counter);
      const head = requestHead(under.client.url, { ...envelope, "content-length": "100" });
      const socket = connect(Number(new URL(under.client.url).port), "127.0.0.1");
      socket.write(`${head}{`, () => socket.destroy());
      await vi.waitFor(async () => expect(await under.client.metric(counter)).toBe(before + 1));
      await under.client.expectAlive();
    });
  });
}
