import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Whether others than this machine can reach a server that listens on an address or name; without one it
 * listens on all of them. Of names only `localhost` is known to be this machine.
 */
export function isExposed(host: string | undefined): boolean {
  if (host === undefined) return true;
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() !== "localhost";
  return !loopback.check(host, family === 4 ? "ipv4" : "ipv6");
}
