import { expect, test } from "vitest";

import { AccessError } from "./access.ts";
import { clientAddress, notePeer, parseNetworks } from "./address.ts";
import { createAttempts } from "./attempts.ts";

test("an address has a few failures, and one more every so often; others have theirs", () => {
  let now = 0;
  const attempts = createAttempts(() => now, { burst: 3, refillMs: 1000 });
  for (let count = 0; count < 3; count += 1) attempts.fail("192.0.2.1");
  expect(() => attempts.fail("192.0.2.1")).toThrow(AccessError);
  expect(() => attempts.admit("192.0.2.1")).toThrow("Try again in 1 s.");
  attempts.admit("192.0.2.2");
  now = 1000;
  attempts.admit("192.0.2.1");
  attempts.fail("192.0.2.1");
  expect(() => attempts.admit("192.0.2.1")).toThrow(AccessError);
  now = 60_000;
  for (let count = 0; count < 3; count += 1) attempts.fail("192.0.2.1");
  expect(() => attempts.admit("192.0.2.1")).toThrow(AccessError);
});

test("a network of IPv6 counts as one address", () => {
  const attempts = createAttempts(() => 0, { burst: 1, refillMs: 1000 });
  attempts.fail("2001:db8:1:2::1");
  expect(() => attempts.admit("2001:db8:1:2:ffff:1:2:3")).toThrow(AccessError);
  attempts.admit("2001:db8:1:3::1");
});

function cameFrom(peer: string, forwarded?: string): Request {
  const request = new Request("http://localhost/", {
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  });
  notePeer(request, peer);
  return request;
}

test.for([
  ["10.1.2.3", undefined, "10.1.2.3"],
  ["::ffff:10.1.2.3", undefined, "10.1.2.3"],
  ["192.0.2.9", "203.0.113.1", "192.0.2.9"],
  ["10.1.2.3", "203.0.113.1", "203.0.113.1"],
  // What a client writes itself stands left of what the proxies add.
  ["10.1.2.3", "198.51.100.7, 203.0.113.1, 10.4.5.6", "203.0.113.1"],
  ["10.1.2.3", "nonsense", "10.1.2.3"],
  ["10.1.2.3", "10.9.9.9", "10.9.9.9"],
] as const)("from %s, forwarded for %s, is %s", ([peer, forwarded, address]) => {
  const trusted = parseNetworks(["10.0.0.0/8"]);
  if ("wrong" in trusted) throw new Error(trusted.wrong);
  expect(clientAddress(cameFrom(peer, forwarded), trusted)).toBe(address);
});

test.for(["10.0.0.0/33", "10.0.0", "10.0.0.0/", "::1/129", "host", "10.0.0.0/8/8", ""])(
  "%j is no network",
  (text) => expect(parseNetworks([text])).toEqual({ wrong: text }),
);
