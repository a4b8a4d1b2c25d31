import { parseAddress } from "./address.ts";

/** An IP network: 4 or 16 bytes, and how many of their bits count. */
export interface Network {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Answers what is wrong with any other text, also
 * with a network that has bits behind its prefix.
 */
export function parseNetwork(text: string): Network | string {
  const [address = "", length, more] = text.split("/");
  const bytes = parseAddress(address);
  if (!bytes || more !== undefined) return "no IP address or network such as 10.0.0.0/8 or 2001:db8::/32";
  const bits = 8 * bytes.length;
  const prefix = length === undefined ? bits : Number(/^\d{1,3}$/.test(length) ? length : Number.NaN);
  if (!(prefix <= bits)) return `no network: behind the slash stands a number from 0 to ${bits}`;
  const network = bytes.map((byte, index) => byte & maskOf(prefix - 8 * index));
  if (network.every((byte, index) => byte === bytes[index])) return { bytes, prefix };
  return `no network: bits behind the first ${prefix} are set`;
}

/** The byte with its first `bits` bits set. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : (0xff << (8 - Math.min(bits, 8))) & 0xff;
}
