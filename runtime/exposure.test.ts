import { expect, test } from "vitest";

import { isExposed } from "./exposure.ts";

test.for(["127.0.0.1", "127.8.9.10", "::1", "localhost", "LOCALHOST", "::ffff:127.0.0.1"])(
  "a server on %s is for this machine alone",
  (host) => expect(isExposed(host)).toBe(false),
);

test.for([
  undefined,
  "0.0.0.0",
  "::",
  "10.0.0.1",
  "fe80::1",
  "localhost.example.org",
  "machine",
  "128.0.0.1",
])("others can reach a server on %s", (host) => expect(isExposed(host)).toBe(true));
