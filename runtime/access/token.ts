import { crc32 } from "node:zlib";

/**
 * An API key as its owner has it: `af_<prefix>_<secret>_<checksum>`, in digits and small letters, so that
 * a double click selects it as a whole. The prefix is no secret; the checksum tells a mistyped or cut off
 * key from a wrong one without asking anybody, and lets scanners of leaked secrets be sure.
 */
export interface Token {
  readonly prefix: string;
  /** All of it. */
  readonly text: string;
}

const widths = { prefix: 10, secret: 50, checksum: 7 } as const;

/** Bytes of chance in a prefix and in a secret. */
const entropy = { prefix: 6, secret: 32 } as const;

const form = /^af_([0-9a-z]{10})_[0-9a-z]{50}_([0-9a-z]{7})$/;

/** Makes a token; `randomHex(n)` answers with n bytes of cryptographic chance as hex. */
export function createToken(randomHex: (bytes: number) => string): Token {
  const prefix = toBase36(randomHex(entropy.prefix), widths.prefix);
  const head = `af_${prefix}_${toBase36(randomHex(entropy.secret), widths.secret)}`;
  return { prefix, text: `${head}_${checksumOf(head)}` };
}

/** Reads a token; `undefined` when it is none, also when one character of it is wrong. */
export function parseToken(text: string): Token | undefined {
  const [, prefix, checksum] = form.exec(text) ?? [];
  if (prefix === undefined || checksum === undefined) return undefined;
  const head = text.slice(0, text.lastIndexOf("_"));
  return checksumOf(head) === checksum ? { prefix, text } : undefined;
}

/** Whether a text begins like one of our keys, whatever follows. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith("af_");
}

function checksumOf(head: string): string {
  return crc32(head).toString(36).padStart(widths.checksum, "0");
}

function toBase36(hex: string, width: number): string {
  return BigInt(`0x${hex}`).toString(36).padStart(width, "0");
}
