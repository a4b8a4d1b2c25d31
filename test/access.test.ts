import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createApi } from "../functions/generator/api.ts";
import { operations } from "../functions/notification/api/operations.ts";
import { createToken } from "../runtime/access/token.ts";
import { grant, type Scope, scopes } from "../runtime/access/scopes.ts";
import {
  type GuardedFunctions,
  refusal,
  refusalOf,
  openGuardedFunctions,
  send,
  type Served,
} from "./support/guarded.ts";

let functions: GuardedFunctions;
beforeAll(async () => {
  functions = await openGuardedFunctions();
});
afterAll(() => functions[Symbol.asyncDispose]());

type Route = readonly [served: Served, method: string, path: string, scope: Scope];

/** What each operation of the API needs; one that is not here fails the test below. */
const needed: Readonly<Record<string, Scope>> = {
  getMe: "viewer",
  listAlerts: "viewer",
  alertFacets: "viewer",
  alertHistogram: "viewer",
  exportAlerts: "viewer",
  getAlert: "viewer",
  listAlertChanges: "viewer",
  streamAlerts: "viewer",
  listSilences: "viewer",
  previewSilence: "viewer",
  getSilence: "viewer",
  listDeliveries: "viewer",
  getDelivery: "viewer",
  listChannels: "viewer",
  listDeadLetters: "viewer",
  getDeadLetter: "viewer",
  changeAlert: "responder",
  changeAlerts: "responder",
  createSilence: "responder",
  expireSilence: "responder",
  resendDelivery: "responder",
  discardDelivery: "responder",
  testChannel: "responder",
  redriveChannel: "responder",
  replayDeadLetter: "responder",
  discardDeadLetter: "responder",
  listKeys: "admin",
  revokeKey: "admin",
};

const id = "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01";
const ofApi = operations.map(({ id: name, method, path }): Route => [
  "notification",
  method.toUpperCase(),
  `/api/v1${path.replaceAll(/\{\w+\}/g, id)}`,
  needed[name] ?? "admin",
]);

const sources = "auditd azure-activity cloudtrail falco gcp github kubernetes okta sshd web-access".split(
  " ",
);
const ofGenerator: readonly Route[] = [
  ...["/", "/events", "/generate_event"].map((path): Route => ["generator", "POST", path, "ingest"]),
  ...sources.map((name): Route => ["generator", "POST", `/sources/${name}`, "ingest"]),
  ["generator", "GET", "/sources/okta", "ingest"],
  ["generator", "GET", "/generator", "viewer"],
  ["generator", "PUT", "/generator", "admin"],
];

const ofPredecessor: readonly Route[] = [
  ["notification", "GET", "/alerts", "viewer"],
  ["notification", "GET", "/alerts/stream", "viewer"],
  ["notification", "GET", `/alerts/${id}`, "viewer"],
  ["notification", "GET", "/dead-letters", "viewer"],
];

const throughDashboard: readonly Route[] = [
  ["dashboard", "GET", "/alerts", "viewer"],
  ["dashboard", "GET", "/api/v1/alerts", "viewer"],
  ["dashboard", "POST", "/api/v1/silences", "responder"],
  ["dashboard", "DELETE", `/api/v1/keys/${id}`, "admin"],
];

const routes: readonly Route[] = [...ofApi, ...ofGenerator, ...ofPredecessor, ...throughDashboard];

test("every operation of the API and every route of the generator is in the table", () => {
  expect(Object.keys(needed).toSorted()).toEqual(operations.map(({ id: name }) => name).toSorted());
  const never = () => Promise.reject(new Error("nobody asks"));
  const receiver = { cloudEvent: never, events: never, generateEvent: never, records: never };
  const app = createApi({
    receiver,
    control: { show: never, change: never, tick: never },
    access: { authenticate: never, addressOf: () => "", notice: undefined, mode: "login" },
    signed: new Set(),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no request is made
    ...({} as Pick<Parameters<typeof createApi>[0], "metrics" | "log">),
  });
  const served = new Set(
    app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`),
  );
  const told = ofGenerator.map(([, method, path]) => `${method} ${path}`);
  expect([...served].toSorted()).toEqual([...told, "POST /generator/tick"].toSorted());
});

const wrong = refusal(401, ', error="invalid_token"');
const title = "%s %s %s";

test.for(routes)(`${title} tells nothing to nobody`, async ([served, method, path]) => {
  expect(await refusalOf(await send(functions.urls[served] + path, method))).toEqual(refusal(401, ""));
});

test.for(routes)(`${title} takes no wrong credential`, async ([served, method, path]) => {
  const url = functions.urls[served] + path;
  const stranger = createToken((bytes) => randomBytes(bytes).toString("hex")).text;
  for (const token of ["nonsense", stranger]) {
    expect(await refusalOf(await send(url, method, { token }))).toEqual(wrong);
  }
});

test.for(routes)(`${title} is for %s`, async ([served, method, path, scope]) => {
  const url = functions.urls[served] + path;
  for (const held of scopes) {
    const response = await send(url, method, { token: functions.keys[held] });
    if (grant([held]).has(scope)) {
      // What is sent is no sensible request; that is told only to those who may make one.
      expect([held, response.status]).not.toEqual([held, expect.toBeOneOf([401, 403])]);
      expect(response.status).toBeLessThan(500);
    } else {
      expect(await refusalOf(response)).toEqual(
        refusal(403, `, error="insufficient_scope", scope="${scope}"`),
      );
    }
  }
});

describe("a credential", () => {
  const me = () => `${functions.urls.notification}/api/v1/me`;

  test("in the query is refused, also beside a right one", async () => {
    for (const query of [`access_token=${functions.keys.admin}`, `q=${functions.keys.admin}`]) {
      const response = await send(`${functions.urls.notification}/api/v1/alerts?${query}`, "GET", {
        token: functions.keys.admin,
      });
      expect(await refusalOf(response)).toEqual(wrong);
    }
  });

  test("that is revoked is refused from the next request on", async () => {
    const token = await functions.keyOf("viewer");
    expect((await send(me(), "GET", { token })).status).toBe(200);
    await functions.store.revoke(token.split("_")[1] ?? "");
    expect(await refusalOf(await send(me(), "GET", { token }))).toEqual(wrong);
  });

  test("of the issuer does what its roles say, on every function", async () => {
    const mint = (roles: readonly string[]) => functions.issuer.mint({ claims: { roles: [...roles] } });
    const [viewer, admin] = [await mint(["viewer"]), await mint(["admin"])];
    const { notification, generator, dashboard } = functions.urls;
    expect((await send(`${dashboard}/alerts`, "GET", { token: viewer })).status).toBe(200);
    expect((await send(`${notification}/api/v1/keys`, "GET", { token: viewer })).status).toBe(403);
    expect((await send(`${notification}/api/v1/keys`, "GET", { token: admin })).status).toBe(200);
    expect((await send(`${generator}/events`, "POST", { token: viewer })).status).toBe(403);
    expect((await send(`${generator}/generator`, "GET", { token: admin })).status).toBe(200);
    await functions.issuer.rotate();
    const foreign = { token: await functions.issuer.mint({ audience: "another" }) };
    expect(await refusalOf(await send(me(), "GET", foreign))).toEqual(wrong);
  });

  test("tried too often from one address is not looked at, and others still are", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9" };
    const statuses: number[] = [];
    for (let count = 0; count < 30; count += 1) {
      statuses.push((await send(me(), "GET", { token: `wrong-${count}`, headers })).status);
    }
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(statuses.at(-1)).toBe(429);
    const right = { token: functions.keys.viewer };
    expect((await send(me(), "GET", right)).status).toBe(200);
    // A key that was found right before passes even from there.
    expect((await send(me(), "GET", { ...right, headers })).status).toBe(200);
  });
});

test("what a broker and probes ask for needs no credential", async () => {
  const { notification, generator } = functions.urls;
  for (const path of ["/livez", "/readyz", "/healthz", "/metrics"])
    expect((await send(notification + path, "GET")).status).toBe(200);
  expect((await send(`${notification}/deliveries/run`, "POST")).status).toBe(200);
  expect((await send(`${notification}/dead-letters`, "POST")).status).toBe(204);
  expect((await send(`${generator}/generator/tick`, "POST")).status).toBe(200);
});

test("the page asks nobody, and what it shows comes with the reader's credential", async () => {
  const { dashboard } = functions.urls;
  expect((await send(`${dashboard}/`, "GET")).status).toBe(200);
  expect((await send(`${dashboard}/alerts`, "GET", { token: functions.keys.viewer })).status).toBe(200);
});

test("nothing of a credential is logged", () => {
  const log = functions.logged();
  expect(log.length).toBeGreaterThan(100);
  for (const key of Object.values(functions.keys)) expect(log).not.toContain(key.split("_")[2]);
  expect(log).not.toContain("wrong-1");
  expect(log).not.toMatch(/eyJ[\w-]{10}/);
});
