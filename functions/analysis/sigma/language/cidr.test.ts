import { isIPv4, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseAddress } from "./address.ts";
import { parseNetwork } from "./cidr.ts";

const zeros = (count: number) => Array.from({ length: count }, () => 0);

describe("networks", () => {
  test.for([
    ["10.0.0.0/8", [10, 0, 0, 0], 8],
    ["192.168.1.128/25", [192, 168, 1, 128], 25],
    ["0.0.0.0/0", [0, 0, 0, 0], 0],
    ["127.0.0.1", [127, 0, 0, 1], 32],
    ["::/0", zeros(16), 0],
    ["::1", [...zeros(15), 1], 128],
    ["fe80::/10", [0xfe, 0x80, ...zeros(14)], 10],
    ["2001:DB8::/32", [0x20, 0x01, 0x0d, 0xb8, ...zeros(12)], 32],
    ["::ffff:10.0.0.0/104", [...zeros(10), 0xff, 0xff, 10, 0, 0, 0], 104],
  ] as const)("%s", ([text, bytes, prefix]) => {
    expect(parseNetwork(text)).toEqual({ bytes, prefix });
  });

  test.for([
    ["10.0.0.1/8", "bits behind the first 8 are set"],
    ["192.168.1.64/25", "bits behind the first 25 are set"],
    ["fe80::1/10", "bits behind the first 10 are set"],
    ["10.0.0.0/33", "from 0 to 32"],
    ["::/129", "from 0 to 128"],
    ["10.0.0.0/-1", "from 0 to 32"],
    ["10.0.0.0/", "from 0 to 32"],
    ["10.0.0.0/8/8", "no IP address"],
    ["10.0.0/8", "no IP address"],
    ["10.0.0.256", "no IP address"],
    ["010.0.0.1", "no IP address"],
    ["10.0.0.0 /8", "no IP address"],
    ["10.*", "no IP address"],
    ["1::2::3", "no IP address"],
    ["1:2:3:4:5:6:7", "no IP address"],
    ["12345::", "no IP address"],
    [":::", "no IP address"],
    ["10.0.0.0::", "no IP address"],
    ["host", "no IP address"],
    ["", "no IP address"],
  ] as const)("%s is refused: %s", ([text, reason]) => {
    expect(parseNetwork(text)).toContain(reason);
  });
});

test("addresses are those Node knows", () => {
  const group = fc.oneof(
    fc.nat(0xffff).map((value) => value.toString(16)),
    fc.constantFrom("", "0", "00001", "g"),
  );
  const octets = fc.array(fc.integer({ min: 0, max: 260 }), { minLength: 3, maxLength: 5 });
  const ipv4 = octets.map((parts) => parts.join("."));
  const ipv6 = fc.tuple(fc.array(group, { maxLength: 9 }), fc.option(ipv4, { nil: "" }));
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    ipv4,
    ipv6.map(([groups, tail]) => [...groups, tail].join(":")),
  );
  fc.assert(
    fc.property(text, (address) => {
      const expected = isIPv4(address) || isIPv6(address);
      expect(parseAddress(address) !== undefined).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});
