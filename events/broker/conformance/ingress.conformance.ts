import { request as httpRequest } from "node:http";

import { describe, expect, test } from "vitest";

import {
  event,
  openStack,
  send,
  settled,
  structured,
  take,
  uniquePrefix,
  type Adapter,
} from "./stack.conformance.ts";

const everything = { triggers: [{ name: "all" }] };

const requests: readonly (readonly [string, RequestInit & { path?: string }, number])[] = [
  ["GET", { method: "GET" }, 405],
  ["PUT", { ...event(), method: "PUT" }, 405],
  ["OPTIONS", { method: "OPTIONS" }, 405],
  ["a GET on another path", { method: "GET", path: "x" }, 405],
  ["another path", { ...event(), path: "x" }, 404],
  ["a query", { ...event(), path: "?x=1" }, 404],
  ["a probe of Kubernetes", { method: "GET", headers: { "user-agent": "kube-probe/1.34" } }, 200],
  ["no event headers", { method: "POST", body: "{}" }, 400],
  ["no id", event({ id: undefined }), 400],
  ["an empty id", event({ id: "" }), 400],
  ["no type", event({ type: undefined }), 400],
  ["no source", event({ source: undefined }), 400],
  ["no specversion", event({ specversion: undefined }), 400],
  ["specversion 2.0", event({ specversion: "2.0" }), 400],
  ["specversion 19.0", event({ specversion: "19.0" }), 400],
  ["a time that is none", event({ time: "yesterday" }), 400],
  ["an extension with an underscore", event({ my_ext: "x" }), 400],
  ["a relative dataschema", event({ dataschema: "/schema" }), 400],
  ["an invalid media type", event({ "content-type": "a b/c" }), 400],
  ["structured, not JSON", { ...structured({}), body: "{" }, 400],
  ["structured, an array", { ...structured({}), body: "[]" }, 400],
  ["structured, without type", structured({ type: undefined }), 400],
  ["structured, an integer beyond 32 bits", structured({ big: 2_147_483_648 }), 400],
  ["structured, an object as extension", structured({ nested: {} }), 400],
  ["structured, a number as id", structured({ id: 1 }), 400],
  ["structured, text data that is no string", structured({ datacontenttype: "text/plain", data: 5 }), 400],
  ["attributes beyond 64 KiB, binary", event({ subject: "x".repeat(70_000) }), 400],
  ["attributes beyond 64 KiB, structured", structured({ subject: "x".repeat(70_000) }), 400],
  ["a batch", { ...structured({}), headers: { "content-type": "application/cloudevents-batch+json" } }, 400],
  [
    "an empty batch",
    { method: "POST", headers: { "content-type": "application/cloudevents-batch+json" }, body: "[]" },
    400,
  ],
  ["binary", event(), 202],
  ["an id longer than a property of AMQP", event({ id: "x".repeat(300) }), 202],
  ["a content type longer than that", event({ "content-type": `text/plain; a=${"x".repeat(300)}` }), 202],
  ["attributes of 60 KiB", event({ subject: "x".repeat(60_000) }), 202],
  ["binary, data that is not JSON", event({}, "{"), 202],
  ["structured", structured({ data: { a: 1 } }), 202],
  [
    "structured with a charset",
    { ...structured({}), headers: { "content-type": "application/cloudevents+json; charset=UTF-8" } },
    202,
  ],
  ["specversion 0.3", event({ specversion: "0.3" }), 202],
  ["an empty subject", event({ subject: "" }), 202],
  ["no content type and no body", event({ "content-type": undefined }, ""), 202],
  ["an upper-case extension name", structured({ MyExt: "x" }), 202],
  ["a null extension", structured({ nothing: null }), 202],
];

/** What the ingress answers, and what it writes on the queue (knative.md §1.3). */
export function ingressConformance(adapter: () => Adapter): void {
  describe("the ingress", () => {
    test("answers by the table of the Knative RabbitMQ ingress", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), everything, stack);
      const answers: (readonly [string, number])[] = [];
      for (const [name, { path = "", ...request }] of requests) {
        answers.push([name, await send({ url: opened.url + path }, request)]);
      }
      expect(answers).toEqual(requests.map(([name, , status]) => [name, status]));
    });

    test("has stored what it answered 202 to, before anybody consumes it", async () => {
      await using stack = new AsyncDisposableStack();
      const options = { ...everything, idle: true, prefix: uniquePrefix() };
      const first = await openStack(adapter(), options, stack);
      expect(await send(first, event({ id: "kept" }))).toBe(202);
      await first.close();
      const second = await openStack(adapter(), { ...options, idle: false }, stack);
      const [received] = await settled(() => second.received("one"), 1);
      expect(received?.headers["ce-id"]).toBe("kept");
    });

    test("answers 5xx when the event cannot be stored", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { ...everything, idle: true }, stack);
      await adapter().deleteExchange(opened.wiring.exchange);
      expect(await send(opened)).toBeGreaterThanOrEqual(500);
      expect(opened.published).toEqual(["failed"]);
    });

    test("accepts an event no Trigger wants, drops it and counts it", async () => {
      await using stack = new AsyncDisposableStack();
      const options = { triggers: [{ name: "other", filter: { type: "something.else" } }] };
      const opened = await openStack(adapter(), options, stack);
      expect(await send(opened)).toBe(202);
      expect(opened.published).toEqual(["unroutable"]);
    });

    test("writes attributes without prefix, and time in UTC", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { ...everything, idle: true }, stack);
      const [lane] = opened.wiring.lanes;
      const attributes = {
        time: "2026-11-21T14:00:00.123456789+02:00",
        subject: "a%20b",
        dataschema: "urn:schema",
        MyExt: "5",
      };
      await send(opened, event(attributes, "{ }"));
      const { headers, body } = await take(opened.broker, lane?.queue ?? "");
      expect(headers).toEqual({
        "content-type": "application/json",
        specversion: "1.0",
        id: "1",
        source: "/test",
        type: "test.happened",
        time: "2026-11-21T12:00:00.123456789Z",
        subject: "a%20b",
        dataschema: "urn:schema",
        myext: "5",
      });
      expect(body.toString()).toBe("{ }");
    });

    test("keeps the types of structured extensions and the bytes of structured data", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { ...everything, idle: true }, stack);
      const [lane] = opened.wiring.lanes;
      const body = `{"specversion":"1.0","id":"1","source":"/s","type":"t","n":-5,"flag":true,"data": {"big": 12345678901234567890, "a":1, "a":2} }`;
      await send(opened, { ...structured({}), body });
      const message = await take(opened.broker, lane?.queue ?? "");
      expect(message.headers).toMatchObject({
        "content-type": "",
        time: "0001-01-01T00:00:00Z",
        n: -5,
        flag: true,
      });
      expect(message.body.toString()).toBe(`{"big": 12345678901234567890, "a":1, "a":2}`);
    });

    test("carries the trace context, an attribute of that name before the header", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), { ...everything, idle: true }, stack);
      const [lane] = opened.wiring.lanes;
      const transport = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
      const origin = `00-${"3".repeat(32)}-${"4".repeat(16)}-01`;
      const traced = (request: RequestInit) => ({
        ...request,
        headers: { ...(request.headers as Record<string, string>), traceparent: transport },
      });
      await send(opened, traced(event()));
      expect((await take(opened.broker, lane?.queue ?? "")).headers["traceparent"]).toBe(transport);
      for (const request of [event({ traceparent: origin }), structured({ traceparent: origin })]) {
        await send(opened, traced(request));
        expect((await take(opened.broker, lane?.queue ?? "")).headers["traceparent"]).toBe(origin);
      }
    });

    test("refuses a body RabbitMQ would not take, announced or not, and lives on", async () => {
      await using stack = new AsyncDisposableStack();
      const opened = await openStack(adapter(), everything, stack);
      const announced = await sendHuge(opened.url, { "content-length": String(16 * 1024 * 1024 + 1) });
      expect(announced).toBe(413);
      expect(await sendHuge(opened.url, { "transfer-encoding": "chunked" })).toBe(413);
      expect(await send(opened)).toBe(202);
    });
  });
}

/** Streams until it is answered, as a client that knows no limit. */
function sendHuge(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { headers: attributes } = event();
    const request = httpRequest(url, {
      method: "POST",
      headers: { ...(attributes as Record<string, string>), ...headers },
    });
    const chunk = Buffer.alloc(64 * 1024);
    let answered = false;
    const write = () => {
      for (let room = true; room && !request.destroyed;) room = request.write(chunk);
    };
    request.on("drain", write);
    request.on("response", (response) => {
      answered = true;
      response.resume();
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on("error", (error) => (answered ? undefined : reject(error)));
    write();
  });
}
