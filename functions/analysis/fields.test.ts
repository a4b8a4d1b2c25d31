import { describe, expect, test } from "vitest";

import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { fieldsOf } from "./fields.ts";

function view(data: Partial<AuditRecorded>): Readonly<Record<string, unknown>> {
  return fieldsOf({ event_type: "user_login", ...data });
}

describe("fields of an event", () => {
  test.for([
    ["details.ip_address", { details: { ip_address: "203.0.113.7" } }, "203.0.113.7"],
    ["client_ip", { client_ip: "2001:db8::1" }, "2001:db8::1"],
    ["details before client_ip", { details: { ip_address: "10.0.0.1" }, client_ip: "10.0.0.2" }, "10.0.0.1"],
    ["no address", { client_ip: "N/A" }, undefined],
    ["nothing", {}, undefined],
  ] as const)("src_ip is %s", ([, data, expected]) => {
    expect(view(data)["src_ip"]).toBe(expected);
  });

  test.for([
    ["/etc/shadow", "/etc/shadow"],
    ["/etc//shadow", "/etc/shadow"],
    ["//etc/shadow", "/etc/shadow"],
    ["/etc/./shadow", "/etc/shadow"],
    ["/tmp/../etc/shadow", "/etc/shadow"],
    ["/etc/shadow/", "/etc/shadow"],
    ["/", "/"],
    ["/srv/backup/etc/passwd.example", "/srv/backup/etc/passwd.example"],
    ["etc/../shadow", "etc/../shadow"],
    ["C:\\Windows\\..\\x", "C:\\Windows\\..\\x"],
    ["arn:aws:s3:::bucket//key", "arn:aws:s3:::bucket//key"],
  ] as const)("resource %s is read as %s, in details or above", ([given, expected]) => {
    expect(view({ details: { resource: given } })["resource"]).toBe(expected);
    expect(view({ resource: given })["resource"]).toBe(expected);
  });

  test("details are lifted and stay reachable, and never hide the event's own fields", () => {
    const fields = view({
      details: { protocol: "ssh", event_type: "harmless", user_id: "x" },
      user_id: "root",
    });
    expect(fields).toMatchObject({
      protocol: "ssh",
      event_type: "user_login",
      user_id: "root",
      actor: "root",
    });
    expect(fields["details"]).toMatchObject({ protocol: "ssh" });
  });

  test("the record of a foreign source is readable under its own names", () => {
    const original = { eventName: "ConsoleLogin", objectRef: { resource: "secrets" }, event_type: "theirs" };
    expect(view({ original })).toMatchObject({ ...original, event_type: "user_login" });
    expect(view({ original: "a line of text" })["original"]).toBe("a line of text");
  });

  test.for([
    ["FAILURE", "failure"],
    ["Denied", "failure"],
    ["SUCCESS", "success"],
    ["MODIFIED", "unknown"],
    [undefined, undefined],
  ] as const)("outcome of %s is %s", ([action_result, expected]) => {
    expect(view({ action_result })["outcome"]).toBe(expected);
  });

  test("names of the prototype are names like any other", () => {
    const details = JSON.parse('{"__proto__": {"admin": true}, "constructor": "c"}') as Record<
      string,
      unknown
    >;
    const fields = view({ details });
    expect(fields["admin"]).toBeUndefined();
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(fields["constructor"]).toBe("c");
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });
});
