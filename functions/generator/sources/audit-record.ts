import { isIP } from "node:net";

/** One record (line) of the audit log, taken apart. */
export interface AuditRecordLine {
  readonly type: string;
  /** What records of one event share: `<seconds>.<milliseconds>:<serial>`. */
  readonly stamp: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** What stands before the record: `node=…`, or the prefix of a system log. */
  readonly prefix: string;
  /** Names and values as written; those of the message inside and of the interpreted part are among them. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The kernel's own log names record types by number. */
const types: ReadonlyMap<string, string> = new Map([
  ["1300", "SYSCALL"],
  ["1302", "PATH"],
  ["1305", "CONFIG_CHANGE"],
  ["1306", "SOCKADDR"],
  ["1307", "CWD"],
  ["1309", "EXECVE"],
  ["1320", "EOE"],
  ["1326", "SECCOMP"],
  ["1327", "PROCTITLE"],
  ["1330", "KERN_MODULE"],
  ["1400", "AVC"],
]);

const header =
  /(?:^|\s)type=([A-Z][A-Z0-9_]*|UNKNOWN\[\d{1,5}\]|\d{1,5}) (?:msg=)?audit\((\d{1,12})\.(\d{3}):(\d{1,20})\):/;
/** A header stands at the beginning, behind no more than what a system log puts before it. */
const maxPrefix = 512;
const pair = /([A-Za-z_][\w.[\]-]*)=("[^"]*"|'[^']*'|\{[^{}]*\}|\S*)/y;
const other = /[^\s]+/y;
const space = /\s*/y;

/** Reads a line; `undefined` when it is no audit record. */
export function parseAuditRecord(line: string): AuditRecordLine | undefined {
  const found = header.exec(line.slice(0, maxPrefix));
  if (!found) return undefined;
  const [text, type = "", seconds = "", milliseconds = "", serial = ""] = found;
  return {
    type: types.get(type) ?? type,
    stamp: `${seconds}.${milliseconds}:${serial}`,
    time: Number(seconds) * 1000 + Number(milliseconds),
    prefix: line.slice(0, found.index),
    // What auditd adds with `log_format = ENRICHED` is set off by a group separator.
    fields: readPairs(line.slice(found.index + text.length).replace("\u001d", " ")),
  };
}

/** Records of one event have one key. */
export function auditEventKey(line: string): string | undefined {
  const found = header.exec(line.slice(0, maxPrefix));
  if (!found) return undefined;
  const node = /node=(\S+)/.exec(line.slice(0, found.index))?.[1] ?? "";
  return [node, ...found.slice(2)].join(" ");
}

/** `name=value …`; reads the message of a program (`msg='op=login …'`) as part of it. */
function readPairs(text: string): readonly (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = skip(space, text, 0); at < text.length; at = skip(space, text, at)) {
    pair.lastIndex = at;
    const found = pair.exec(text);
    if (!found) {
      at = skip(other, text, at);
      continue;
    }
    at = pair.lastIndex;
    const [, name = "", value = ""] = found;
    if (name === "msg" && value.startsWith("'")) pairs.push(...readPairs(value.slice(1, -1)));
    else pairs.push([name, value]);
  }
  return pairs;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? Math.max(pattern.lastIndex, at) : at;
}

/** What the kernel writes in quotes, or in hexadecimal when it holds a space, a quote or worse. */
const encoded: ReadonlySet<string> = new Set([
  "name",
  "cwd",
  "comm",
  "exe",
  "proctitle",
  "key",
  "acct",
  "cmd",
  "data",
  "path",
  "dir",
  "file",
  "watch",
  "sw",
  "new-disk",
  "old-disk",
  "vm",
  "ocomm",
]);

const hex = /^(?:[0-9A-F]{2})+$/;

/** The value that was meant; `undefined` for what stands for none. */
export function decodeValue(name: string, value: string): string | undefined {
  if (value === "?" || value === "(null)" || value === "") return undefined;
  const bare = unquote(value);
  if (bare !== value || !encoded.has(name) || !hex.test(value)) return bare;
  return decodeHex(value);
}

/** An argument of `execve`, or a part of a long one: quoted, or in hexadecimal. */
export function decodeArgument(value: string): Buffer {
  const bare = unquote(value);
  return bare === value && hex.test(value) ? Buffer.from(value, "hex") : Buffer.from(bare);
}

/** Text from hexadecimal; a program's title has its arguments set off by NUL. */
function decodeHex(value: string): string {
  return Buffer.from(value, "hex").toString("utf8").replaceAll("\0", " ").trim();
}

function unquote(value: string): string {
  return /^(?:".*"|'.*')$/s.test(value) ? value.slice(1, -1) : value;
}

/** Address and port of a `saddr` of the Internet families; the family is in the machine's byte order. */
export function decodeSocketAddress(
  saddr: string,
): { readonly ip: string; readonly port: number } | undefined {
  if (!hex.test(saddr)) return undefined;
  const bytes = Buffer.from(saddr, "hex");
  const [family, ...rest] = bytes.subarray(0, 2);
  if (rest[0] !== 0) return undefined;
  if (family === 2 && bytes.length >= 8) {
    return { ip: bytes.subarray(4, 8).join("."), port: bytes.readUInt16BE(2) };
  }
  if (family !== 10 || bytes.length < 24) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + index * 2).toString(16));
  const ip = new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  return isIP(ip) === 0 ? undefined : { ip, port: bytes.readUInt16BE(2) };
}
