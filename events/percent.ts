import { isUtf8 } from "node:buffer";

/**
 * Attribute values in HTTP headers (CloudEvents HTTP binding §3.1.3.2).
 *
 * A compliant sender percent-encodes the UTF-8 of everything but printable ASCII, and also space,
 * double quote and percent. Knative's RabbitMQ dispatcher does neither encode nor decode, and sends what
 * is not ASCII as raw UTF-8, which Node shows as latin-1. Both are read here:
 *
 * - a value that is one double-quoted string is unquoted first;
 * - `%` and two hexadecimal digits are one byte, once; a `%` followed by anything else stands for itself,
 *   because only an unencoded value can contain it;
 * - the bytes are UTF-8. When they are not, an escape among them makes the value invalid, and a value
 *   without escapes is taken as latin-1.
 *
 * The encoder always escapes `%`, so reading what it wrote gives the original for every text.
 */

const percent = 0x25;

/** ASCII without control characters, `%` and `"`. A regular expression beats a loop here. */
const plain = /^[ !#$&-~]*$/;
/** The same without space: what needs no escape. */
const unescaped = /^[!#$&-~]*$/;

/** True when the value means the same encoded and decoded. */
export function isPlain(value: string): boolean {
  return plain.test(value);
}

/** The text a header value stands for, or `undefined` when its escapes are not UTF-8. */
export function decodeHeaderValue(value: string): string | undefined {
  if (isPlain(value)) return value;
  const raw = unquote(value);
  if (!raw.isWellFormed()) return undefined;
  const bytes = Buffer.from(raw, isLatin1(raw) ? "latin1" : "utf8");
  const decoded = resolveEscapes(bytes);
  if (isUtf8(decoded)) return decoded.toString("utf8");
  return decoded.length === bytes.length ? raw : undefined;
}

/** The header value that stands for this text; the text must not contain unpaired surrogates. */
export function encodeHeaderValue(value: string): string {
  if (unescaped.test(value)) return value;
  return value.replaceAll(/[^\u0021\u0023\u0024\u0026-\u007e]+/g, encodeURIComponent);
}

function isLatin1(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    if (value.charCodeAt(index) > 0xff) return false;
  }
  return true;
}

/** Resolves a quoted-string (RFC 9110 §5.6.4); anything but one whole quoted string is left alone. */
function unquote(value: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1];
  return inner === undefined ? value : inner.replaceAll(/\\(.)/gs, "$1");
}

function resolveEscapes(bytes: Buffer): Buffer {
  if (!bytes.includes(percent)) return bytes;
  const decoded = Buffer.alloc(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    const escaped = byte === percent ? hexPair(bytes[index + 1], bytes[index + 2]) : undefined;
    decoded[length++] = escaped ?? byte;
    if (escaped !== undefined) index += 2;
  }
  return decoded.subarray(0, length);
}

function hexPair(high: number | undefined, low: number | undefined): number | undefined {
  const [first, second] = [hexDigit(high), hexDigit(low)];
  return first === undefined || second === undefined ? undefined : first * 16 + second;
}

function hexDigit(unit: number | undefined): number | undefined {
  if (unit === undefined) return undefined;
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
