import { RE2JS } from "re2js";

import type { Test } from "../language/expression.ts";

/** Regular expressions, networks and times in the plainest code; see `plain.ts`. */
const compiled = new WeakMap<object, RE2JS>();

/** RE2's syntax and meaning, by its port; unanchored. */
export function isRegexFound(test: Extract<Test, { kind: "regex" }>, text: string): boolean {
  let regex = compiled.get(test);
  if (!regex) {
    const inline = test.flags === "" ? test.source : `(?${test.flags})(?:${test.source})`;
    compiled.set(test, (regex = RE2JS.compile(inline)));
  }
  return regex.test(text);
}

/** The text is an address of the network; a v4 address written as v6 (`::ffff:10.0.0.1`) is also the v4 one. */
export function isInNetwork({ bytes, prefix }: Extract<Test, { kind: "cidr" }>, text: string): boolean {
  const long = bytes.length === 16;
  const v4 = parseV4(text);
  const v6 = v4 === undefined ? parseV6(text) : undefined;
  const address = long ? v6 : (v4 ?? unmap(v6));
  if (address === undefined) return false;
  const network = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const host = BigInt(bytes.length * 8 - prefix);
  return address >> host === network >> host;
}

function unmap(address: bigint | undefined): bigint | undefined {
  return address !== undefined && address >> 32n === 0xffffn ? address & 0xffffffffn : undefined;
}

function parseV4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))) return undefined;
  if (octets.some((octet) => Number(octet) > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

function parseV6(text: string): bigint | undefined {
  const [before = "", after, more] = text.split("::");
  if (more !== undefined) return undefined;
  const left = groupsOf(before, after === undefined);
  const right = groupsOf(after ?? "", true);
  if (!left || !right) return undefined;
  const missing = 8 - left.length - right.length;
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => 0n), ...right];
  return groups.reduce((sum, group) => sum * 65_536n + group, 0n);
}

/** Groups of four hexadecimal digits; the last may be a v4 address where the address ends. */
function groupsOf(text: string, ends: boolean): readonly bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const v4 = ends && index === parts.length - 1 ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn);
    else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

type TimeTest = Extract<Test, { kind: "time" }>;

/**
 * A part of a moment in UTC. Moments are texts as RFC 3339 writes a date with a time (a blank may stand
 * for the `T`, seconds may be missing, and without an offset it is UTC) and numbers since the epoch: below
 * 100,000,000,000 in seconds, from there on in milliseconds. Nothing else has parts of time.
 */
export function isPartOfTime(
  { part, operator, operand }: TimeTest,
  value: unknown,
  compares: (operator: TimeTest["operator"], value: number, operand: number) => boolean,
): boolean {
  const moment = momentOf(value);
  return moment !== undefined && compares(operator, partOf(moment, part), operand);
}

const written =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d)(?::(?:[0-5]\d|60)(?:\.\d+)?)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))?$/;

function momentOf(value: unknown): Date | undefined {
  if (typeof value === "number" || typeof value === "bigint") {
    const count = Number(value);
    const date = new Date(Math.abs(count) < 1e11 ? count * 1000 : count);
    return Number.isNaN(date.getTime()) ? undefined : date;
  }
  const found = typeof value === "string" ? written.exec(value) : null;
  if (!found) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1, 6).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (found[6] === "-" ? -1 : 1) * (Number(found[7] ?? 0) * 60 + Number(found[8] ?? 0));
  date.setUTCHours(hour, minute - offset);
  return date;
}

function partOf(moment: Date, part: TimeTest["part"]): number {
  switch (part) {
    case "minute":
      return moment.getUTCMinutes();
    case "hour":
      return moment.getUTCHours();
    case "day":
      return moment.getUTCDate();
    case "week":
      return isoWeekOf(moment);
    case "month":
      return moment.getUTCMonth() + 1;
    case "year":
      return moment.getUTCFullYear();
    default:
      return part satisfies never;
  }
}

/** ISO 8601: the week of a day is counted in the year its Thursday is in. */
function isoWeekOf(moment: Date): number {
  const thursday = new Date(moment);
  thursday.setUTCDate(moment.getUTCDate() + 3 - ((moment.getUTCDay() + 6) % 7));
  const first = new Date(0);
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  first.setUTCHours(thursday.getUTCHours(), thursday.getUTCMinutes());
  return 1 + Math.floor((thursday.getTime() - first.getTime()) / (7 * 86_400_000));
}
