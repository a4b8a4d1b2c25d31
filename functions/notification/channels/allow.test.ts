import { describe, expect, test } from "vitest";

import { allowSetting, createAllow } from "./allow.ts";
import { createGuard } from "./guard.ts";
import { lookupOf, names } from "./guard.testing.ts";

describe("what the allow-list lets through", () => {
  const allowed = async (allow: readonly string[], host: string, encrypted = true) => {
    const guard = createGuard({
      allow: createAllow(allow),
      lookup: lookupOf({ ...names, "am.svc": ["10.1.2.3"] }),
    });
    return guard({ host, encrypted }, AbortSignal.timeout(1000)).then(
      ({ addresses }) => addresses.length > 0,
      () => false,
    );
  };

  test.for([
    [["private.evil.example"], "private.evil.example", true],
    [["PRIVATE.Evil.example."], "private.evil.example", true],
    [["evil.example"], "private.evil.example", false],
    [["*.evil.example"], "private.evil.example", true],
    [["*.evil.example"], "evil.example.attacker.example", true], // public anyway
    [["*.example"], "notexample", true], // public anyway
    [["*.vil.example"], "private.evil.example", false],
    [["10.0.0.0/8"], "private.evil.example", true],
    [["10.1.2.3"], "private.evil.example", true],
    [["10.1.2.4/32"], "private.evil.example", false],
    [["10.0.0.0/8"], "am.svc", true],
    [[], "am.svc", false],
    [["127.0.0.0/8"], "mixed.evil.example", true],
    [["fd00::/8"], "mixed-last.evil.example", true],
    [["127.0.0.0/8"], "127.1", true],
    [["::1"], "::1", true],
    [["127.0.0.1"], "::ffff:127.0.0.1", true],
  ] as const)("%j: %s is %s", async ([allow, host, expected]) => {
    expect(await allowed(allow, host)).toBe(expected);
  });

  test("without encryption only what is listed is reached", async () => {
    expect(await allowed([], "hooks.example", false)).toBe(false);
    expect(await allowed(["hooks.example"], "hooks.example", false)).toBe(true);
    expect(await allowed(["203.0.113.0/24"], "hooks.example", false)).toBe(true);
    expect(await allowed(["127.0.0.0/8"], "mixed.evil.example", false)).toBe(false);
  });

  test.for([
    "10.0.0.0/33",
    "10.0.0.256",
    "http://host",
    "host:80",
    "*",
    "*.*.example",
    "a b",
    "fe80::1%eth0",
    "-",
  ])("%s is refused as an entry, by name", (entry) => {
    const { error } = allowSetting.safeParse(`hooks.example, ${entry}`);
    expect(error?.issues[0]?.message).toContain(`"${entry}" is not a host name`);
  });

  test("entries are separated by commas, with or without spaces", () => {
    expect(allowSetting.parse(" a.example,*.b.example , 10.0.0.0/8,fd00::/8,, ")).toEqual([
      "a.example",
      "*.b.example",
      "10.0.0.0/8",
      "fd00::/8",
    ]);
  });
});
