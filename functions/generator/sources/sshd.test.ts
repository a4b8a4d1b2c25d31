import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseSshdLine, sshd } from "./sshd.ts";
import { parseSyslogLine } from "./syslog.ts";

const receivedAt = Date.parse("2026-11-21T12:00:00Z");
const adapt = (line: string, repetition = 0) =>
  sshd.adapt(line, { headers: {}, receivedAt, repetition: () => repetition });
const at = (message: string) => `2026-11-21T11:00:00.25+00:00 edge-1 sshd[42]: ${message}`;

describe("a line of sshd's log", () => {
  test.for([
    [
      "Failed password for root from 203.0.113.7 port 4022 ssh2",
      "user_login",
      "FAILURE",
      "root",
      "203.0.113.7",
    ],
    [
      "Failed password for invalid user bob from 2001:db8::1 port 1 ssh2",
      "user_login",
      "FAILURE",
      "bob",
      "2001:db8::1",
    ],
    [
      "Failed keyboard-interactive/pam for ana from 192.0.2.1 port 9 ssh2",
      "user_login",
      "FAILURE",
      "ana",
      "192.0.2.1",
    ],
    [
      "Failed publickey for ana from 192.0.2.1 port 9 ssh2: RSA SHA256:abc",
      "ssh_auth_attempt",
      "FAILURE",
      "ana",
      "192.0.2.1",
    ],
    [
      "Failed none for invalid user bob from 192.0.2.1 port 9 ssh2",
      "ssh_auth_attempt",
      "FAILURE",
      "bob",
      "192.0.2.1",
    ],
    ["Accepted password for ana from 192.0.2.1 port 9 ssh2", "user_login", "SUCCESS", "ana", "192.0.2.1"],
    [
      "Accepted publickey for ana from 192.0.2.1 port 9 ssh2: ED25519 SHA256:x",
      "user_login",
      "SUCCESS",
      "ana",
      "192.0.2.1",
    ],
    ["Invalid user bob from 192.0.2.1 port 9", "ssh_invalid_user", "FAILURE", "bob", "192.0.2.1"],
    [
      "error: maximum authentication attempts exceeded for root from 192.0.2.1 port 9 ssh2 [preauth]",
      "ssh_max_attempts",
      "FAILURE",
      "root",
      "192.0.2.1",
    ],
    [
      "Connection closed by authenticating user root 192.0.2.1 port 9 [preauth]",
      "ssh_disconnect",
      undefined,
      "root",
      "192.0.2.1",
    ],
    ["Disconnected from user ana 192.0.2.1 port 9", "ssh_disconnect", undefined, "ana", "192.0.2.1"],
    [
      "pam_unix(sshd:session): session opened for user ana(uid=1000) by (uid=0)",
      "ssh_session_opened",
      undefined,
      "ana",
      undefined,
    ],
    [
      "pam_unix(sshd:session): session closed for user ana",
      "ssh_session_closed",
      undefined,
      "ana",
      undefined,
    ],
    ["Server listening on 0.0.0.0 port 22.", "sshd_message", undefined, undefined, undefined],
  ] as const)("%s", ([message, event_type, action_result, user_id, ip_address]) => {
    const [event] = adapt(at(message));
    expect(event?.time).toBe(Date.parse("2026-11-21T11:00:00.250Z"));
    const { data } = event ?? {};
    expect([data?.event_type, data?.action_result, data?.user_id]).toEqual([
      event_type,
      action_result,
      user_id,
    ]);
    expect(data?.details?.["ip_address"]).toBe(ip_address);
    expect(data).toMatchObject({
      source_service: "sshd",
      server_hostname: "edge-1",
      logsource: { product: "linux", category: "authentication", service: "sshd" },
      original: at(message),
    });
  });

  test("of a user whose name looks like a line blames the real address", () => {
    const [event] = adapt(
      at("Failed password for invalid user root from 192.0.2.99 port 22 ssh2 from 203.0.113.7 port 4 ssh2"),
    );
    expect(event?.data.details?.["ip_address"]).toBe("203.0.113.7");
    expect(event?.data.user_id).toBe("root from 192.0.2.99 port 22 ssh2");
  });

  test("that rsyslog folded stands for as many events as it says", () => {
    const events = adapt(
      at("message repeated 3 times: [ Failed password for root from 203.0.113.7 port 4 ssh2]"),
    );
    expect(events.map(({ data }) => [data.event_type, data.user_id])).toEqual(
      Array.from({ length: 3 }, () => ["user_login", "root"]),
    );
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
  });

  test("with a time has an id of its content; sent again it is the same event", () => {
    const line = at("Failed password for root from 203.0.113.7 port 4 ssh2");
    expect(adapt(line)[0]?.id).toBe(adapt(line)[0]?.id);
    expect(adapt(line, 1)[0]?.id).not.toBe(adapt(line)[0]?.id);
  });

  test("without a time or host is taken as it is, and nothing is made up", () => {
    const [event] = adapt("Failed password for root from 127.0.0.1 port 4 ssh2");
    expect([event?.id, event?.time]).toEqual([undefined, undefined]);
    expect(event?.data).not.toHaveProperty("server_hostname");
    expect(event?.data.event_type).toBe("user_login");
  });

  test.for(["2026-11-21T11:00:00Z edge-1 sudo: ana : COMMAND=/bin/ls", "", "   ", "x".repeat(9000), 5, null])(
    "is not %o",
    (line) => {
      expect(() => sshd.adapt(line, { headers: {}, receivedAt, repetition: () => 0 })).toThrow(
        /expected a line of sshd's log/,
      );
    },
  );

  test("keeps its text whatever it says, and what is nearly a form is none", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(parseSshdLine(at(text), receivedAt)?.message ?? "").toBe(
          text.trim() === "" ? "" : text.trim(),
        );
      }),
    );
    const hostile = at(`Failed password for ${"a from b port 1 ".repeat(500)}or so`);
    expect(adapt(hostile)[0]?.data.event_type).toBe("sshd_message");
  });
});

test.for([
  ["Nov 21 11:59:59 edge-1 sshd[1]: hi", "2026-11-21T11:59:59.000Z"],
  ["Nov  1 00:00:00 edge-1 sshd[1]: hi", "2026-11-01T00:00:00.000Z"],
  ["Nov 22 11:59:59 edge-1 sshd[1]: hi", "2026-11-22T11:59:59.000Z"],
  ["Dec 31 23:59:59 edge-1 sshd[1]: hi", "2025-12-31T23:59:59.000Z"],
  ["<38>Nov 21 11:59:59 edge-1 sshd-session[1]: hi", "2026-11-21T11:59:59.000Z"],
  ["2026-11-21T12:59:59.5+01:00 edge-1 sshd[1]: hi", "2026-11-21T11:59:59.500Z"],
] as const)("the time of %s is %s", ([line, time]) => {
  const parsed = parseSyslogLine(line, receivedAt);
  expect(new Date(parsed.time ?? NaN).toISOString()).toBe(time);
  expect(parsed).toMatchObject({ host: "edge-1", message: "hi", pid: "1" });
});

test("a recording of a real sshd has no line that is not understood, and the logins that were made", () => {
  const lines = readFileSync(new URL("../../../test/corpus/sshd/sshd.log", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const events = lines.flatMap((line) => adapt(line)).map(({ data }) => data);
  expect(events).toHaveLength(lines.length);
  const logins = events.filter(({ event_type }) => event_type === "user_login");
  const count = (user: string, result: string) =>
    logins.filter(({ user_id, action_result }) => user_id === user && action_result === result).length;
  expect(["alice", "root", "admin", "oracle", "test"].map((user) => count(user, "FAILURE"))).toEqual([
    1, 6, 1, 1, 1,
  ]);
  expect(count("root", "SUCCESS")).toBe(1);
  expect(logins).toHaveLength(11);
});
