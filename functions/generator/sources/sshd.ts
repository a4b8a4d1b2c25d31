import { isIP } from "node:net";

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { deriveUuid } from "../../../events/identity.ts";
import { contentId, cut, maxText, present, refuseRecord } from "./record.ts";
import { type Adapted, defineSource } from "./source.ts";
import { parseSyslogLine, type SyslogLine } from "./syslog.ts";

/** Longer lines are not sshd's. */
const maxLine = 8192;
const maxRepeats = 1000;

const programs = /^sshd(?:-session|-auth)?$/;
const peer = String.raw`(?<ip>\S+) port (?<port>\d+)`;
const suffix = String.raw`(?: ssh\d?)?(?:: .*)?(?: \[preauth\])?$`;

/** One form of message: what it means, in the predecessor's words. */
interface Form {
  readonly pattern: RegExp;
  readonly event_type: string;
  readonly action_result?: "SUCCESS" | "FAILURE";
}

/**
 * The first that fits counts. The user name is the attacker's choice and may hold spaces, so each pattern
 * reads it greedily and finds address and port from the end. Offering a key that is not known is no failed
 * login: clients offer every key they have before they ask for a password.
 */
const forms: readonly Form[] = [
  {
    pattern: new RegExp(`^Accepted (?<method>\\S+) for (?<user>.*) from ${peer}${suffix}`),
    event_type: "user_login",
    action_result: "SUCCESS",
  },
  {
    pattern: new RegExp(
      `^Failed (?<method>password|keyboard-interactive\\S*) for (?<unknown>invalid user |illegal user )?(?<user>.*) from ${peer}${suffix}`,
    ),
    event_type: "user_login",
    action_result: "FAILURE",
  },
  {
    pattern: new RegExp(
      `^Failed (?<method>\\S+) for (?<unknown>invalid user |illegal user )?(?<user>.*) from ${peer}${suffix}`,
    ),
    event_type: "ssh_auth_attempt",
    action_result: "FAILURE",
  },
  {
    pattern: new RegExp(`^(?:Invalid|Illegal) user (?<user>.*) from (?<ip>\\S+)(?: port (?<port>\\d+))?$`),
    event_type: "ssh_invalid_user",
    action_result: "FAILURE",
  },
  {
    pattern: new RegExp(
      `^(?:error: )?maximum authentication attempts exceeded for (?<unknown>invalid user )?(?<user>.*) from ${peer}${suffix}`,
    ),
    event_type: "ssh_max_attempts",
    action_result: "FAILURE",
  },
  {
    pattern: new RegExp(
      `^(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (?:(?:authenticating|invalid) )?user (?<user>.*) ${peer}(?:: .*)?(?: \\[preauth\\])?$`,
    ),
    event_type: "ssh_disconnect",
  },
  {
    pattern: /^pam_unix\(sshd:session\): session opened for user (?<user>[^\s(]+)/,
    event_type: "ssh_session_opened",
  },
  {
    pattern: /^pam_unix\(sshd:session\): session closed for user (?<user>[^\s(]+)/,
    event_type: "ssh_session_closed",
  },
];

const repeated = /^message repeated (?<times>\d{1,9}) times: \[ (?<message>.*)\]$/s;

/**
 * The log of OpenSSH's server, line by line, with or without the prefix of a system log. A line of another
 * program is refused; a line of sshd that has no form of its own becomes an `sshd_message`.
 */
export const sshd = defineSource({
  name: "sshd",
  format: "text",
  recognises: (record) =>
    typeof record === "string" && programs.test(parseSyslogLine(record, 0).program ?? ""),
  adapt(record, meta) {
    const line = typeof record === "string" ? parseSshdLine(record, meta.receivedAt) : undefined;
    if (line === undefined || typeof record !== "string") {
      throw refuseRecord(record, `a line of sshd's log of at most ${maxLine} characters`);
    }
    // Two bare lines may be equal and still be two attempts, so only a line with a time gets a derived id.
    const id = line.time === undefined ? undefined : contentId("sshd", record, meta.repetition());
    // rsyslog folds equal lines; each of them happened.
    return Array.from({ length: line.times }, (_, index) =>
      adaptLine(record, line, id === undefined || index === 0 ? id : deriveUuid("repeat", id, String(index))),
    );
  },
});

/** A line of sshd's log: its prefix, how often it stands for, and what it says. */
export interface SshdLine extends SyslogLine {
  readonly times: number;
}

/** `undefined` when the line is another program's, empty or too long. */
export function parseSshdLine(text: string, receivedAt: number): SshdLine | undefined {
  if (text.length > maxLine) return undefined;
  const line = parseSyslogLine(text.trim(), receivedAt);
  if (line.message === "" || (line.program !== undefined && !isSshd(line))) return undefined;
  const fold = repeated.exec(line.message)?.groups;
  const times = Math.min(Number(fold?.["times"] ?? 1), maxRepeats);
  return { ...line, times, message: fold?.["message"]?.trim() ?? line.message };
}

/** Run in the foreground, sshd writes bare messages, and some begin like a tag: `error: …`. */
function isSshd({ program = "", host }: SyslogLine): boolean {
  return programs.test(program) || host === undefined;
}

function adaptLine(text: string, line: SshdLine, id: string | undefined): Adapted {
  const data = present({ event_id: id, ...dataOf(line), original: text });
  return { source: "/auditflow/source/sshd", id, time: line.time, data };
}

function dataOf(line: SshdLine): AuditRecorded {
  const [form, found] = firstForm(line.message);
  const { user, method, port, ip = "", unknown } = found;
  return present({
    source_service: "sshd",
    server_hostname: line.host === undefined ? undefined : cut(line.host, maxText),
    event_type: form?.event_type ?? "sshd_message",
    user_id: user === undefined || user === "" ? undefined : cut(user, maxText),
    action_result: form?.action_result,
    details: present({
      ip_address: isIP(ip) === 0 ? undefined : ip,
      port: port === undefined ? undefined : Number(port),
      protocol: "ssh",
      method,
      reason: unknown === undefined ? undefined : "unknown user",
      pid: line.pid,
      message: line.message,
    }),
    logsource: { product: "linux", category: "authentication", service: "sshd" },
  });
}

function firstForm(message: string): readonly [Form | undefined, Partial<Record<string, string>>] {
  for (const form of forms) {
    const match = form.pattern.exec(message);
    if (match) return [form, match.groups ?? {}];
  }
  return [undefined, {}];
}
