import { createAllow } from "./allow.ts";
import { createGuardedPost, type Lookup } from "./guard.ts";
import { now } from "./receiver.testing.ts";

/** One of documentation: nobody is there. */
export const publicAddress = "203.0.113.7";

/** Answers from a table; every other name is public. */
export function lookupOf(table: Readonly<Record<string, readonly string[]>> = {}): Lookup {
  return async (host) => (table[host] ?? [publicAddress]).map((address) => ({ address }));
}

/** A guarded POST that allows what is listed. */
export function openPost(allow: readonly string[] = [], lookup: Lookup = lookupOf()) {
  const post = createGuardedPost({ allow: createAllow(allow), lookup, now: () => now });
  return (url: string, timeoutMs = 1000, body = "{}") =>
    post({ url, headers: {}, body, timeoutMs, signal: AbortSignal.timeout(5000) });
}

/** Names that a hostile resolver knows. */
export const names: Readonly<Record<string, readonly string[]>> = {
  "loopback.evil.example": ["127.0.0.1"],
  "loopback6.evil.example": ["::1"],
  "mapped.evil.example": ["::ffff:127.0.0.1"],
  "private.evil.example": ["10.1.2.3"],
  "metadata.evil.example": ["169.254.169.254"],
  "mixed.evil.example": [publicAddress, "127.0.0.1"],
  "mixed-last.evil.example": [publicAddress, "2001:db8::1", "fd00::1"],
  "nat64.evil.example": ["64:ff9b::7f00:1"],
  "zone.evil.example": ["fe80::1%1"],
  "nothing.evil.example": [],
};
