import { isIP } from "node:net";

/** Where dead letters may be sent to again. */
export interface ReplayHosts {
  /** Names, or endings of names that begin with a dot; lower case. */
  readonly hosts: readonly string[];
  /** Whether this machine itself is allowed: right where the process listens on nothing else. */
  readonly loopback: boolean;
}

export type Destination =
  | { readonly kind: "allowed"; readonly url: string }
  /** The letter tells of none. */
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly detail: string };

/**
 * Whether an event may be sent to where the broker could not deliver it. Whoever can reach the dead letter
 * route can write any address into a letter, so only hosts that were allowed count.
 */
export function toDestination(origin: string, { hosts, loopback }: ReplayHosts): Destination {
  const url = URL.parse(origin);
  if (!url) return { kind: "none" };
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { kind: "refused", detail: `${origin} is no HTTP address.` };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", detail: "The address of the destination carries credentials." };
  }
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  if (isLoopback(host) ? loopback : isListed(host, hosts)) return { kind: "allowed", url: url.href };
  return { kind: "refused", detail: `${host} is not among the hosts of AUDITFLOW_REPLAY_HOSTS.` };
}

function isListed(host: string, hosts: readonly string[]): boolean {
  return hosts.some((entry) => (entry.startsWith(".") ? host.endsWith(entry) : host === entry));
}

/** Names below `localhost` count: resolvers answer them with loopback (RFC 6761 §6.3). */
function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost") || host === "[::1]") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
