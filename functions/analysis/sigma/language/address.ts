/**
 * The bytes of an IP address as text: 4 for `10.0.0.1`, 16 for a v6 address; `undefined` for anything
 * else. Strict: no leading zeros in octets, no zone, no brackets, no port, no blanks.
 */
export function parseAddress(text: string): readonly number[] | undefined {
  // The longest is a v6 address that ends as a v4 one.
  if (text.length < 2 || text.length > 45) return undefined;
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  let value = -1;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i < text.length ? text.charCodeAt(i) : dot;
    if (code === dot) {
      if (value < 0) return undefined;
      bytes.push(value);
      value = -1;
    } else {
      const digit = code - zero;
      if (digit < 0 || digit > 9 || value === 0) return undefined;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return undefined;
    }
  }
  return bytes.length === 4 ? bytes : undefined;
}

const dot = 0x2e;
const zero = 0x30;

function parseV6(text: string): readonly number[] | undefined {
  const gap = text.indexOf("::");
  if (gap < 0) {
    const bytes = parseGroups(text);
    return bytes?.length === 16 ? bytes : undefined;
  }
  const before = gap === 0 ? [] : parseGroups(text.slice(0, gap));
  const after = gap + 2 === text.length ? [] : parseGroups(text.slice(gap + 2));
  // Only the end of an address may be written as v4, and the gap stands for one group at least.
  if (!before || !after || text.lastIndexOf(".", gap) >= 0 || before.length + after.length > 14)
    return undefined;
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after];
}

function parseGroups(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (group.includes(".")) {
      const v4 = index === groups.length - 1 ? parseV4(group) : undefined;
      if (!v4) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[\da-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
