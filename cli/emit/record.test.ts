import { expect, test } from "vitest";

import { requestFor } from "./post.ts";
import { parseLine, recordKinds } from "./record.ts";

test.for([
  ['{"event_type":"user_login"}', "event"],
  ['{"specversion":"1.0"}', "cloudevent"],
  ['{"auditID":"a","verb":"get"}', "kubernetes"],
  ['{"eventVersion":"1","eventSource":"s","eventName":"n"}', "cloudtrail"],
  ['{"action":"repo.create","actor":"dora"}', "github"],
  ["Nov 21 12:00:00 h sshd[7]: Server listening on 0.0.0.0 port 22.", "sshd"],
  ['203.0.113.5 - - [21/Nov/2026:12:30:03 +0100] "GET / HTTP/1.1" 200 5', "web-access"],
  // What no member gives away is recognised by the generator.
  ['{"uuid":"u","eventType":"user.session.start","actor":{}}', "event"],
] as const)("the line %s is of kind %s", ([text, kind]) => {
  expect(parseLine(text, 1)).toMatchObject({ line: 1, kind });
});

test.for(["neither", '[21/Nov/2026] "no request"', "{"])("the line %o is none", (text) => {
  expect(parseLine(text, 3)).toMatchObject({ line: 3, reason: expect.any(String) });
});

test("what is said of a line wins over its shape", () => {
  expect(parseLine("bare words", 1, "sshd")).toEqual({ line: 1, kind: "sshd", value: "bare words" });
  expect(parseLine('{"a":1}', 1, "web-access")).toEqual({ line: 1, kind: "web-access", value: '{"a":1}' });
  expect(parseLine('{"a":1}', 1, "falco")).toEqual({ line: 1, kind: "falco", value: { a: 1 } });
});

test("every kind has a route", () => {
  for (const kind of recordKinds) {
    const { url, body } = requestFor("http://localhost:1", [{ line: 1, kind, value: "x" }]);
    expect(url.pathname).toBe(["event", "cloudevent"].includes(kind) ? "/events" : `/sources/${kind}`);
    expect(body).toContain("x");
  }
});
