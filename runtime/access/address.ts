import { BlockList, isIP } from "node:net";

const peers = new WeakMap<Request, string>();

/** Remembers which address a request came from; what makes a `Request` of a connection calls it. */
export function notePeer(request: Request, address: string | undefined): void {
  if (address !== undefined) peers.set(request, unmapped(address));
}

/** The address of the connection a request came over, where that is known. */
export function peerOf(request: Request): string | undefined {
  return peers.get(request);
}

/** Networks of proxies whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  has(address: string): boolean;
}

/** Reads addresses and networks in CIDR form; answers with the first that is neither. */
export function parseNetworks(list: readonly string[]): TrustedProxies | { readonly wrong: string } {
  const networks = new BlockList();
  for (const entry of list) {
    const [address = "", bits, ...rest] = entry.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const length = bits === undefined ? most : Number(bits);
    const isLength = /^\d*$/.test(bits ?? "") && bits !== "" && length <= most;
    if (family === 0 || rest.length > 0 || !isLength) return { wrong: entry };
    networks.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  }
  return {
    has: (address) => isIP(address) > 0 && networks.check(address, isIP(address) === 4 ? "ipv4" : "ipv6"),
  };
}

/**
 * The address of whoever sent a request: the connection's, or, when that is a trusted proxy's, the nearest
 * one in `X-Forwarded-For` that is not. `unknown` for a request that came over no connection.
 */
export function clientAddress(request: Request, trusted: TrustedProxies): string {
  const forwarded = (request.headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((part) => unmapped(part.trim()));
  let address = peerOf(request) ?? "unknown";
  while (trusted.has(address)) {
    const next = forwarded.pop();
    if (next === undefined || isIP(next) === 0) break;
    address = next;
  }
  return address;
}

/** IPv4 as a socket for both families tells it. */
function unmapped(address: string): string {
  return address.toLowerCase().startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
