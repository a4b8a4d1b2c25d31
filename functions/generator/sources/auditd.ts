import { isIP } from "node:net";
import { posix } from "node:path";

import {
  type AuditRecordLine,
  auditEventKey,
  decodeArgument,
  decodeSocketAddress,
  decodeValue,
  parseAuditRecord,
} from "./audit-record.ts";
import { contentId, cut, eventTypeOf, maxText, present, refuseRecord } from "./record.ts";
import { type Adapted, defineSource, type RecordMeta } from "./source.ts";
import { syscallName } from "./syscalls.ts";
import { parseSyslogLine } from "./syslog.ts";

/** The kernel splits longer messages into several records. */
const maxLine = 32_768;
/** Arguments of a command that are fields of their own; `command` has all of them. */
const maxArguments = 64;
const unset: ReadonlySet<string> = new Set(["unset", "4294967295", "-1"]);

/**
 * The log of the Linux audit daemon, as its files, audisp-syslog and the kernel write it. Records with the
 * same `audit(time:serial)` are one event; send them in one request, because what comes later is another
 * event. https://github.com/linux-audit/audit-documentation
 */
export const auditd = defineSource({
  name: "auditd",
  format: "text",
  keyOfLine: auditEventKey,
  recognises: (record) => typeof record === "string" && parseAuditRecord(record) !== undefined,
  adapt(record, meta) {
    const records = typeof record === "string" ? readRecords(record) : undefined;
    if (records === undefined || typeof record !== "string") {
      throw refuseRecord(
        record,
        `records of one audit event, "type=… msg=audit(<time>:<serial>): …", of at most ${maxLine} characters each`,
      );
    }
    return [adaptEvent(record, records, meta)];
  },
});

/** The records of an event, which must be of one; `undefined` when a line is none. */
function readRecords(text: string): readonly [AuditRecordLine, ...AuditRecordLine[]] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.some((line) => line.length > maxLine)) return undefined;
  const [first, ...rest] = lines.map(parseAuditRecord);
  if (first === undefined) return undefined;
  const others = rest.filter((record) => record !== undefined && record.stamp === first.stamp);
  return others.length === rest.length ? [first, ...others.filter((each) => each !== undefined)] : undefined;
}

function adaptEvent(
  text: string,
  records: readonly [AuditRecordLine, ...AuditRecordLine[]],
  meta: RecordMeta,
): Adapted {
  const [first] = records;
  const fields = fieldsOf(records);
  const one = (name: string) => fields.get(name)?.[0];
  const id = contentId("auditd", text, meta.repetition());
  const created = pathsOf(records, one("cwd"), (nametype) => nametype === "CREATE");
  const succeeded = one("success") !== "no";
  const categories = [
    ...(fields.has("argc") && succeeded ? ["process_creation"] : []),
    ...(created.length > 0 && succeeded ? ["file_event"] : []),
    ...(one("SYSCALL") === "connect" && fields.has("saddr_ip") ? ["network_connection"] : []),
  ];
  const data = present({
    event_id: id,
    source_service: "auditd",
    server_hostname: hostOf(first, meta),
    event_type: eventTypeOf("auditd", typeOf(first.type, one("SYSCALL"))),
    user_id: short(userOf(first.type, one)),
    action_result: resultOf(one),
    client_ip: isIP(one("addr") ?? "") === 0 ? undefined : one("addr"),
    resource: short(
      pathsOf(records, one("cwd"), (nametype) => nametype !== "PARENT")[0] ?? one("unit") ?? one("exe"),
    ),
    details: present({
      ...Object.fromEntries(
        [...fields].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
      ),
      command: commandOf(records) ?? one("proctitle") ?? one("cmd"),
      created: created.length === 0 ? undefined : created,
      initiated: one("SYSCALL") === "connect" ? true : undefined,
    }),
    logsource: present({
      product: "linux",
      category: categories.length === 0 ? undefined : categories,
      service: "auditd",
    }),
    original: text,
  });
  return { source: "/auditflow/source/auditd", id, time: first.time, data };
}

/** The values of every field in all records, each once, in order. */
function fieldsOf(records: readonly AuditRecordLine[]): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  const add = (name: string, value: string | undefined) => {
    if (value === undefined) return;
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else if (!values.includes(value)) values.push(value);
  };
  const isExec = records.some(({ type }) => type === "EXECVE");
  for (const record of records) {
    if (record.type !== "EOE") add("type", record.type);
    for (const [name, value] of record.fields) {
      // What a system call's a0 to a3 point to is the arguments of EXECVE; pointers tell nobody anything.
      if (/^a\d/.test(name) && (record.type === "EXECVE" || isExec)) continue;
      if (name === "key") for (const key of decodeValue(name, value)?.split("\u0001") ?? []) add(name, key);
      else add(name, decodeValue(name, value));
    }
    for (const [name, value] of interpreted(record)) add(name, value);
  }
  for (const [index, argument] of argumentsOf(records).slice(0, maxArguments).entries())
    add(`a${index}`, argument);
  return fields;
}

/** What auditd writes beside the numbers only when it is told to: the name of the call, the peer's address. */
function interpreted({ type, fields }: AuditRecordLine): readonly (readonly [string, string])[] {
  const value = (name: string) => fields.find(([each]) => each === name)?.[1];
  if (type === "SYSCALL" && value("SYSCALL") === undefined) {
    const name = syscallName(value("arch") ?? "", value("syscall") ?? "");
    return name === undefined ? [] : [["SYSCALL", name]];
  }
  const peer = type === "SOCKADDR" ? decodeSocketAddress(value("saddr") ?? "") : undefined;
  return peer === undefined
    ? []
    : [
        ["saddr_ip", peer.ip],
        ["saddr_port", String(peer.port)],
      ];
}

/** The arguments of a command; a long one comes in parts: `a1_len=9000 a1[0]=… a1[1]=…`. */
function argumentsOf(records: readonly AuditRecordLine[]): readonly string[] {
  const parts = new Map<number, Buffer[]>();
  for (const { type, fields } of records) {
    if (type !== "EXECVE") continue;
    for (const [name, value] of fields) {
      const index = /^a(\d{1,6})(?:\[\d{1,6}\])?$/.exec(name)?.[1];
      if (index === undefined) continue;
      const list = parts.get(Number(index)) ?? [];
      list.push(decodeArgument(value));
      parts.set(Number(index), list);
    }
  }
  return [...parts].toSorted(([a], [b]) => a - b).map(([, each]) => Buffer.concat(each).toString("utf8"));
}

function commandOf(records: readonly AuditRecordLine[]): string | undefined {
  const all = argumentsOf(records);
  return all.length === 0 ? undefined : all.join(" ");
}

/** The paths of an event whose `nametype` is asked for, made absolute. */
function pathsOf(
  records: readonly AuditRecordLine[],
  cwd: string | undefined,
  isWanted: (nametype: string | undefined) => boolean,
): readonly string[] {
  return records.flatMap(({ type, fields }) => {
    if (type !== "PATH") return [];
    const value = (name: string) => decodeValue(name, fields.find(([each]) => each === name)?.[1] ?? "");
    const name = value("name");
    if (name === undefined || !isWanted(value("nametype"))) return [];
    return [name.startsWith("/") || cwd === undefined ? name : posix.join(cwd, name)];
  });
}

function typeOf(type: string, syscall: string | undefined): string {
  return (syscall ?? type).toLowerCase();
}

/** Who did it: who logged in, whatever they became since; a login has nobody yet but the account it is for. */
function userOf(type: string, one: (name: string) => string | undefined): string | undefined {
  const given = (name: string) => {
    const value = one(name);
    return value === undefined || unset.has(value) ? undefined : value;
  };
  const account = type.startsWith("USER_") ? given("acct") : undefined;
  return given("AUID") ?? account ?? given("auid") ?? given("UID") ?? given("uid");
}

function resultOf(one: (name: string) => string | undefined): string | undefined {
  const result = one("success") ?? one("res");
  if (result === undefined) return undefined;
  if (/^(?:yes|success|1)$/.test(result)) return "SUCCESS";
  return /^(?:no|failed|0)$/.test(result) ? "FAILURE" : undefined;
}

function hostOf({ prefix }: AuditRecordLine, { receivedAt }: RecordMeta): string | undefined {
  const node = /node=(\S+)/.exec(prefix)?.[1];
  return short(node ?? parseSyslogLine(`${prefix.trim()} -`, receivedAt).host);
}

function short(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cut(text, maxText);
}
