import { describe, expect, test } from "vitest";

import { parseConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { openAccess, planAccess } from "./open.ts";
import { accessSettings } from "./settings.ts";

const plan = (env: Record<string, string>, exposed: boolean, hasDatabase = true) =>
  planAccess(parseConfig(accessSettings, env), { exposed, hasDatabase });

const oidc = {
  AUDITFLOW_AUTH: "oidc",
  AUDITFLOW_OIDC_ISSUER: "https://login.example.org",
  AUDITFLOW_OIDC_AUDIENCE: "auditflow",
};

test.for([
  [{}, false, "local"],
  [{ AUDITFLOW_AUTH: "none" }, false, "local"],
  [{ AUDITFLOW_AUTH: "none" }, true, "none"],
  [{ AUDITFLOW_AUTH: "keys" }, false, "login"],
  [{ AUDITFLOW_AUTH: "keys" }, true, "login"],
  [{ ...oidc, AUDITFLOW_AUTH: " OIDC , keys" }, true, "login"],
] as const)("%j, exposed %s: %s", ([env, exposed, mode]) => {
  expect(plan({ ...env }, exposed).mode).toBe(mode);
});

describe("what is refused", () => {
  test.for([
    [{}, "AUDITFLOW_AUTH  is required and not set: others than this machine can reach this function."],
    [{}, "Set keys and/or oidc; none lets everybody in; AUDITFLOW_HOST=127.0.0.1 shuts all others out."],
    [{ AUDITFLOW_AUTH: "yes" }, '"keys", "oidc", "keys,oidc" or "none"'],
    [{ AUDITFLOW_AUTH: "none,keys" }, "AUDITFLOW_AUTH"],
    [{ AUDITFLOW_AUTH: "oidc" }, "AUDITFLOW_OIDC_ISSUER    is not set"],
    [{ AUDITFLOW_AUTH: "oidc" }, "AUDITFLOW_OIDC_AUDIENCE  is not set"],
    [{ ...oidc, AUDITFLOW_OIDC_ISSUER: "http://login.example.org" }, "is not https"],
    [{ ...oidc, AUDITFLOW_OIDC_ROLES_MAP: "team=root" }, '"team=root" is not role=scope'],
    [{ AUDITFLOW_AUTH: "none", AUDITFLOW_TRUSTED_PROXIES: "10.0.0.0/99" }, '"10.0.0.0/99" is no address'],
  ] as const)("%j: %s", ([env, message]) => {
    expect(() => plan({ ...env }, true)).toThrow(message);
  });

  test("keys without a database to keep them in", () => {
    expect(() => plan({ AUDITFLOW_AUTH: "keys" }, true, false)).toThrow("DATABASE_URL");
  });
});

describe("without a login", () => {
  const log = createLog({ name: "test", level: "silent" });
  const open = (exposed: boolean) =>
    openAccess(plan({ AUDITFLOW_AUTH: "none" }, exposed), { log, now: () => 0 });
  const ask = (method: string, headers: Record<string, string>) =>
    new Request("http://localhost/", { method, headers });

  test("everybody may do everything, and is told so where others can call", async () => {
    const principal = await open(true).authenticate(ask("POST", { host: "auditflow.example.org" }));
    expect([principal.id, principal.scopes.size]).toEqual(["anonymous", 4]);
    expect([open(true).notice, open(false).notice]).toEqual([
      "AUDITFLOW_AUTH=none: everybody who can reach this address can read and change everything here.",
      undefined,
    ]);
  });

  test.for([
    ["POST", { "sec-fetch-site": "cross-site" }],
    ["POST", { "sec-fetch-site": "same-site" }],
    ["DELETE", { origin: "http://evil.example" }],
    ["PUT", { origin: "null" }],
    ["PATCH", { origin: "http://localhost:3000" }],
  ] as const)("a browser cannot be made to send a %s with %j", async ([method, headers]) => {
    const request = ask(method, { host: "localhost:8484", ...headers });
    await expect(open(false).authenticate(request)).rejects.toMatchObject({
      code: "CROSS_SITE",
      status: 403,
    });
    await expect(open(true).authenticate(request)).rejects.toMatchObject({ code: "CROSS_SITE" });
  });

  test.for([
    ["POST", {}],
    ["POST", { "sec-fetch-site": "same-origin", origin: "http://localhost:8484" }],
    ["POST", { "sec-fetch-site": "none" }],
    ["DELETE", { origin: "http://localhost:8484" }],
    ["POST", { host: "127.0.0.1:9", "x-forwarded-host": "localhost:8484", origin: "http://localhost:8484" }],
    ["GET", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }],
    ["GET", { "x-forwarded-for": "127.0.0.1, ::1", "x-forwarded-host": "localhost" }],
  ] as const)("a %s with %j passes", async ([method, headers]) => {
    const request = ask(method, { host: "localhost:8484", ...headers });
    await expect(open(false).authenticate(request)).resolves.toMatchObject({ id: "anonymous" });
  });

  test.for<Record<string, string>>([
    { "x-forwarded-for": "203.0.113.9" },
    { "x-forwarded-for": "203.0.113.9, 127.0.0.1" },
    { "x-forwarded-for": "unknown" },
    { "x-forwarded-host": "auditflow.example.org" },
  ])("for this machine alone, nothing is served to others through a proxy: %j", async (headers) => {
    const request = ask("GET", { host: "localhost:8484", ...headers });
    await expect(open(false).authenticate(request)).rejects.toMatchObject({ code: "HOST_UNKNOWN" });
    await expect(open(true).authenticate(request)).resolves.toMatchObject({ id: "anonymous" });
  });

  test.for([
    "evil.example",
    "evil.example:80",
    "10.0.0.1",
    "notification.auditflow.svc",
    "127.0.0.1.example",
  ])("for this machine alone, nothing is served under the name %s", async (host) => {
    await expect(open(false).authenticate(ask("GET", { host }))).rejects.toMatchObject({
      code: "HOST_UNKNOWN",
      status: 421,
    });
  });
});
