import { describe, expect, test } from "vitest";

import { fromUndeliverable } from "./dead-letter.ts";

const headers = {
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/my/app",
  "ce-type": "io.auditflow.audit.recorded.v1",
  "ce-time": "2026-11-21T12:00:00Z",
  "ce-knativeerrordest": "http://analysis.example/",
  "ce-knativeerrorcode": "500",
  "content-type": "application/json",
  authorization: "Bearer secret",
  host: "notification.example",
};
const body = Buffer.from('{"event_type":"user_login"}');

describe("a dead letter", () => {
  test("keeps the event, where it could not be delivered and why, and no credentials", () => {
    const letter = fromUndeliverable(headers, body);
    expect(letter).toMatchObject({
      kind: "undeliverable",
      code: "EVENT_UNDELIVERABLE",
      detail: "The subscriber answered 500.",
      origin: "http://analysis.example/",
      event: { id: "e-1", source: "/my/app", type: "io.auditflow.audit.recorded.v1" },
    });
    expect(letter.body).toEqual(body);
    expect(Object.keys(letter.headers)).toEqual(
      expect.arrayContaining(["ce-id", "ce-knativeerrorcode", "content-type"]),
    );
    expect(letter.headers).not.toHaveProperty("authorization");
  });

  test("in structured mode is read as well", () => {
    const event = {
      specversion: "1.0",
      id: "e-2",
      source: "/my/app",
      type: "t",
      knativeerrordest: "http://analysis.example/",
      knativeerrorcode: 503,
      data: {},
    };
    const letter = fromUndeliverable(
      { "content-type": "application/cloudevents+json" },
      Buffer.from(JSON.stringify(event)),
    );
    expect(letter).toMatchObject({ origin: "http://analysis.example/", event: { id: "e-2" } });
    expect(letter.detail).toContain("503");
  });

  test.for<[string, Record<string, string>, string]>([
    ["nothing at all", {}, ""],
    ["no event", { "content-type": "text/plain" }, "hello"],
    ["an event without an id", { "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "t" }, "{}"],
    ["JSON that is none", { "content-type": "application/cloudevents+json" }, "{"],
    ["an array", { "content-type": "application/cloudevents+json" }, "[]"],
    ["a batch", { "content-type": "application/cloudevents-batch+json" }, "[]"],
    ["a compressed body", { ...headers, "content-encoding": "gzip" }, "?"],
  ])("of %s is kept too", ([, given, text]) => {
    const letter = fromUndeliverable(given, Buffer.from(text));
    expect(letter.body.toString()).toBe(text);
    expect(letter.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("delivered again it is the same one; from another subscriber it is another", () => {
    const again = fromUndeliverable({ ...headers, "ce-time": "2026-11-21T12:00:09Z" }, body);
    const other = fromUndeliverable({ ...headers, "ce-knativeerrordest": "http://other.example/" }, body);
    expect(again.id).toBe(fromUndeliverable(headers, body).id);
    expect(other.id).not.toBe(again.id);
  });
});
