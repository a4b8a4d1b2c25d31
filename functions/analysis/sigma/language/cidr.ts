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

/** The 4 bytes of an IPv4 or 16 bytes of an IPv6 address; `undefined` when the text is neither. */
export function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

function parseIPv4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  const valid =
    parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? parts.map(Number) : undefined;
}

function parseIPv6(text: string): readonly number[] | undefined {
  const [head = "", tail, more] = text.split("::");
  const before = bytesOf(head, tail === undefined);
  if (more !== undefined || !before) return undefined;
  if (tail === undefined) return before.length === 16 ? before : undefined;
  const after = bytesOf(tail, true);
  if (!after || before.length + after.length > 14) return undefined;
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after];
}

/** The bytes of groups between colons; at the end of an address an IPv4 address may stand for two. */
function bytesOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const embedded =
      isEnd && index === groups.length - 1 && group.includes(".") ? parseIPv4(group) : undefined;
    if (embedded) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}
