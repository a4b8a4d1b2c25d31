import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { UnavailableError } from "../failure.ts";
import { AccessError, type Principal } from "./access.ts";
import { type MintOptions, openIssuer, type TestIssuer } from "./issuer.testing.ts";
import { createOidc, type OidcOptions } from "./oidc.ts";

let issuer: TestIssuer;
let check: (token: string) => Promise<Principal>;

const open = (options: Partial<OidcOptions> = {}) =>
  createOidc({
    issuer: issuer.url,
    audience: "auditflow",
    nameClaim: "sub",
    rolesClaim: "roles",
    roles: new Map([["security", ["responder"]]]),
    now: Date.now,
    cooldownMs: 0,
    ...options,
  });

beforeEach(async () => {
  issuer = await openIssuer();
  check = open();
});
afterEach(() => issuer[Symbol.asyncDispose]());

test("a token of the issuer is its user, with the scopes of the roles", async () => {
  const principal = await check(await issuer.mint({ claims: { roles: ["security", "other"] } }));
  expect([principal.type, principal.id, [...principal.scopes]]).toEqual([
    "user",
    "ana",
    ["responder", "viewer"],
  ]);
  const stranger = await check(await issuer.mint());
  expect([...stranger.scopes]).toEqual([]);
});

test("the name can be another claim", async () => {
  check = open({ nameClaim: "email" });
  const token = await issuer.mint({ claims: { email: "ana@example.org" } });
  expect((await check(token)).id).toBe("ana@example.org");
  await expect(check(await issuer.mint())).rejects.toThrow('its "email" is not as expected');
});

const wrong: readonly (readonly [string, MintOptions, string])[] = [
  ["of another issuer", { issuer: "https://other.example" }, 'its "iss" is not as expected'],
  ["for another service", { audience: "other" }, 'its "aud" is not as expected'],
  ["that has expired", { expiresIn: -31 }, "it has expired"],
  ["that never expires", { expiresIn: null }, 'its "exp" is not as expected'],
  ["that is not valid yet", { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } }, 'its "nbf"'],
  ["without a signature", { signature: "none" }, "its algorithm is not allowed"],
  ["signed with the public key as a secret", { signature: "symmetric" }, "its algorithm is not allowed"],
  ["of nobody", { claims: { sub: "" } }, 'its "sub" is no name'],
];

test.for(wrong)("a token %s is refused", async ([, options, reason]) => {
  const failure = check(await issuer.mint(options));
  await expect(failure).rejects.toThrow(AccessError);
  await expect(failure).rejects.toThrow(reason);
});

test("a clock that differs by less than half a minute does no harm", async () => {
  expect((await check(await issuer.mint({ expiresIn: -20 }))).id).toBe("ana");
});

test.for(["", "x", "a.b.c", "a.b.c.d.e"])("%j is no token", async (token) => {
  await expect(check(token)).rejects.toThrow("it cannot be read");
});

test("a token with another payload under the same signature is refused", async () => {
  const [head, , signature] = (await issuer.mint()).split(".");
  const [, payload] = (await issuer.mint({ claims: { roles: ["security"] } })).split(".");
  await expect(check([head, payload, signature].join("."))).rejects.toThrow("its signature does not fit");
});

describe("the issuer's keys", () => {
  test("are fetched once for many tokens", async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, () => issuer.mint()));
    await Promise.all(tokens.map(check));
    for (const token of tokens) await check(token);
    expect(issuer.fetches()).toBe(1);
  });

  test("are fetched again for one that is new, and one that was withdrawn fits no more", async () => {
    const before = await issuer.mint();
    await check(before);
    await issuer.rotate();
    expect((await check(await issuer.mint())).id).toBe("ana");
    await expect(check(before)).rejects.toThrow("the issuer has no such key");
  });

  test("are not fetched for every made-up key id", async () => {
    check = open({ cooldownMs: 60_000 });
    await check(await issuer.mint());
    const stranger = await openIssuer();
    for (let count = 0; count < 5; count += 1) {
      await stranger.rotate();
      const token = await stranger.mint({ issuer: issuer.url });
      await expect(check(token)).rejects.toThrow("the issuer has no such key");
    }
    expect(issuer.fetches()).toBe(1);
    await stranger[Symbol.asyncDispose]();
  });

  test("that cannot be had make nobody wrong, and are asked for again", async () => {
    issuer.setAway(true);
    const token = await issuer.mint();
    await expect(check(token)).rejects.toThrow(UnavailableError);
    issuer.setAway(false);
    expect((await check(token)).id).toBe("ana");
    // Also those of an issuer that is known already.
    check = open({ jwksUrl: "http://127.0.0.1:1/keys" });
    await expect(check(token)).rejects.toThrow(UnavailableError);
  });

  test("of a discovery document that is another issuer's are not used", async () => {
    check = open({ issuer: `${issuer.url}/realms/other` });
    await expect(check(await issuer.mint())).rejects.toThrow("the document of another issuer");
  });

  test("are found where a setting says", async () => {
    check = open({ issuer: "https://login.example.org", jwksUrl: `${issuer.url}/keys` });
    expect((await check(await issuer.mint({ issuer: "https://login.example.org" }))).id).toBe("ana");
  });
});
