import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** Addresses that a channel must not reach unless it was allowed to, and what to call them. */
const forbidden = [
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["unspecified", ["0.0.0.0/8", "::/128"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]],
  // Clouds serve credentials at 169.254.169.254, 168.63.129.16, 192.0.0.192 and 100.100.100.200.
  ["link-local or metadata", ["169.254.0.0/16", "168.63.129.16/32", "fe80::/10"]],
  ["shared (carrier-grade NAT)", ["100.64.0.0/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  // Protocol assignments, benchmarks, class E, discard, local NAT64, Teredo, and IPv4-compatible IPv6.
  ["reserved", ["192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64", "64:ff9b:1::/48"]],
  ["reserved", ["2001::/32", "::/96"]],
] as const satisfies readonly (readonly [string, readonly string[]])[];

const ranges = forbidden.map(([kind, networks]) => [kind, blockListOf(networks)] as const);

/** What kind of address it is when a channel must not reach it of its own accord; `undefined`: a public one. */
export function forbiddenKind(address: string): string | undefined {
  const embedded = embeddedIPv4(address);
  if (embedded !== undefined) return forbiddenKind(embedded);
  // With a zone it is an address of this link whatever its prefix.
  if (isIP(address) === 0 || address.includes("%")) return "link-local or metadata";
  const kind = ranges.find(([, list]) => isIn(list, address))?.[0];
  // Of IPv6 only 2000::/3 is given out; what else may lead to a machine is somebody's own translation.
  return kind ?? (isUnassigned(address) ? "reserved" : undefined);
}

function isUnassigned(address: string): boolean {
  const [first] = groupsOf(address) ?? [];
  return first !== undefined && first >> 13 !== 1;
}

/** Whether a network, `10.0.0.0/8`, or a single address, can be read. */
export function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes("%") ? 128 : undefined;
  if (bits === undefined || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

/** Networks and single addresses as a list that `isIn` looks into. */
export function blockListOf(networks: Iterable<string>): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    list.addSubnet(address, prefix === undefined ? (family === "ipv4" ? 32 : 128) : Number(prefix), family);
  }
  return list;
}

/** Whether the list holds the address, also when it is written as an IPv4-mapped one. */
export function isIn(list: BlockList, address: string): boolean {
  const plain = mappedIPv4(address) ?? address;
  return list.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
}

/** The IPv4 address that an IPv6 one leads to: mapped, translated (NAT64) or tunnelled (6to4). */
function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  if (groups === undefined) return undefined;
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x20_02) return fromGroups(second, third);
  if (first === 0x64 && second === 0xff_9b && groups.slice(2, 6).every((group) => group === 0)) {
    return fromGroups(groups[6] ?? 0, groups[7] ?? 0);
  }
  return mappedIPv4(address);
}

function mappedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  if (groups === undefined || groups[5] !== 0xff_ff) return undefined;
  if (groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return fromGroups(groups[6] ?? 0, groups[7] ?? 0);
}

/** The eight groups of an IPv6 address, as the URL standard's parser reads it. */
function groupsOf(address: string): readonly number[] | undefined {
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function fromGroups(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}
