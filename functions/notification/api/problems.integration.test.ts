import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { AccessError } from "../../../runtime/access/access.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { ApiDeps } from "./deps.ts";
import { insertAlerts } from "./insert-alerts.testing.ts";
import { accessOf, openTestApi, type TestApi } from "./open-api.testing.ts";
import { isProblemName, type ProblemKind, problemKinds } from "./problems.ts";

const nobody = "0197a1e2-7c1f-5d3a-9a51-3f2b8c1d4e5f";
const json = { "content-type": "application/json" };

let api: TestApi;
let alert: string;
let resolved: string;

/** Answers of one API each: what cannot be had from the plain one. */
const others: Record<string, TestApi> = {};

beforeAll(async () => {
  api = await openTestApi();
  [alert = "", resolved = ""] = await insertAlerts(api.sql, 2);
  await send(
    `POST /alerts/${resolved}/changes`,
    { action: "resolve", disposition: "benign", by: "ana" },
    any,
  );
  await api.sql`
    insert into dead_letters (dead_letter_id, kind, code, detail, origin, headers, body, truncated)
    values (${nobody}, 'undeliverable', 'EVENT_UNDELIVERABLE', 'd', 'http://127.0.0.1:9/', '{}', '', true),
      (${alert}, 'undeliverable', 'EVENT_UNDELIVERABLE', 'd', 'http://127.0.0.1:9/',
        '{"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "y"}', '', false)`;
  const refusing = (error: Error) => ({
    ...accessOf(),
    authenticate: async () => {
      throw error;
    },
  });
  const open = async (name: string, overrides: Partial<ApiDeps>) => {
    others[name] = await openTestApi(overrides, api.databaseUrl);
  };
  await open("unauthenticated", { access: refusing(new AccessError("UNAUTHENTICATED", "Who?")) });
  await open("cross-site", { access: refusing(new AccessError("CROSS_SITE", "Elsewhere.")) });
  await open("host", { access: refusing(new AccessError("HOST_UNKNOWN", "Not here.")) });
  await open("viewer", { access: accessOf({ id: "ana", scopes: ["viewer"] }) });
  await open("responder", { access: accessOf({ id: "ana", scopes: ["responder"] }) });
  await open("slow", { requestsPerMinute: 1 });
  const channels = (error: Error) => ({
    channels: {
      list: () => {
        throw error;
      },
    },
  });
  await open("away", channels(new UnavailableError("postgres", "no connection to 10.0.0.5")));
  await open("broken", channels(new Error("select secret from 10.0.0.5")));
});
afterAll(async () => {
  await Promise.all(Object.values(others).map((opened) => opened[Symbol.asyncDispose]()));
  await api[Symbol.asyncDispose]();
});

const any = { "if-match": "*" };

/** `call` is the method and the path. */
function sendTo(target: TestApi | undefined, call: string, init: RequestInit = {}) {
  const [method = "", path = ""] = call.split(" ");
  return fetch(`${target?.url}/api/v1${path}`, { method, ...init });
}

function send(call: string, body?: unknown, headers: Record<string, string> = {}) {
  return sendTo(api, call, {
    headers: { ...json, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const change = (body: object, headers: Record<string, string> = any) =>
  send(`POST /alerts/${alert}/changes`, { by: "ana", ...body }, headers);
const preview = (init: RequestInit) => sendTo(api, "POST /silences/preview", { headers: json, ...init });

/** How each problem comes about. */
const ways: Record<keyof typeof problemKinds, () => Promise<Response>> = {
  "invalid-request": () => send("GET /alerts?limit=0&srt=count&status=opened"),
  "malformed-json": () => preview({ body: "{" }),
  "invalid-query": () => send("GET /alerts?q=severty:high"),
  "invalid-cursor": () => send("GET /alerts?cursor=abc"),
  unauthenticated: () => sendTo(others["unauthenticated"], "GET /alerts"),
  forbidden: () => sendTo(others["viewer"], "GET /keys"),
  "cross-site-request": () => sendTo(others["cross-site"], "GET /alerts"),
  "unknown-host": () => sendTo(others["host"], "GET /alerts"),
  "actor-mismatch": () =>
    sendTo(others["responder"], `POST /silences/${nobody}/expire`, {
      headers: json,
      body: JSON.stringify({ by: "bob" }),
    }),
  "actor-required": () => send(`POST /silences/${nobody}/expire`, {}),
  "unknown-route": () => send("GET /alarms"),
  "not-found": () => send(`GET /alerts/${nobody}`),
  "method-not-allowed": () => send("DELETE /alerts"),
  "transition-not-allowed": () =>
    send(`POST /alerts/${resolved}/changes`, { action: "acknowledge", by: "ana" }, any),
  async "state-conflict"() {
    const body = {
      query: "host:a",
      comment: "c",
      ends_at: new Date(Date.now() + 60_000).toISOString(),
      by: "ana",
    };
    const { silence_id } = (await (await send("POST /silences", body)).json()) as { silence_id: string };
    await send(`POST /silences/${silence_id}/expire`, { by: "ana" });
    return send(`POST /silences/${silence_id}/expire`, { by: "ana" });
  },
  async "limit-reached"() {
    await api.sql`
      insert into silences (silence_id, query, author, comment, starts_at, ends_at)
      select gen_random_uuid(), 'host:a', 'ana', 'c', now(), now() + interval '1 hour'
      from generate_series(1, 1000)`;
    const ends_at = new Date(Date.now() + 60_000).toISOString();
    return send("POST /silences", { query: "host:a", comment: "c", ends_at, by: "ana" });
  },
  "not-replayable": () => send(`POST /dead-letters/${nobody}/replay`, { by: "ana" }),
  "replay-refused": () => send(`POST /dead-letters/${alert}/replay`, { by: "ana" }),
  async "idempotency-key-in-use"() {
    const key = { "idempotency-key": "in-use" };
    await send("POST /silences/preview", { query: "host:a" }, key);
    await api.sql`update idempotency_keys set status = null`;
    return send("POST /silences/preview", { query: "host:a" }, key);
  },
  "precondition-failed": () => change({ action: "acknowledge" }, { "if-match": '"7.1"' }),
  "precondition-required": () => change({ action: "acknowledge" }, {}),
  "body-too-large": () => preview({ body: `"${"x".repeat(1_048_576)}"` }),
  "unsupported-media-type": () => preview({ headers: { "content-type": "text/plain" }, body: "{}" }),
  async "idempotency-key-reused"() {
    const key = { "idempotency-key": "reused" };
    await send("POST /silences/preview", { query: "host:a" }, key);
    return send("POST /silences/preview", { query: "host:b" }, key);
  },
  async "too-many-requests"() {
    await sendTo(others["slow"], "GET /me");
    return sendTo(others["slow"], "GET /me");
  },
  "internal-error": () => sendTo(others["broken"], "GET /channels"),
  unavailable: () => sendTo(others["away"], "GET /channels"),
};

const kinds = Object.entries<ProblemKind>(problemKinds);

describe("the catalogue", () => {
  test.for(kinds)("%s is answered as it says", async ([name, { status, title }]) => {
    const response = await (isProblemName(name) ? ways[name]() : Promise.reject(new Error(name)));
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ type: `/problems/${name}`, status, title });
    expect(String(body["detail"])).toMatch(/[.?]$/);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(JSON.stringify(body)).not.toMatch(/10\.0\.0\.5|select /);
  });

  test.for(kinds)("%s is explained where its type points, and in docs/api.md", async ([name, kind]) => {
    const { title, status, meaning, remedy } = kind;
    const shown = (await (await fetch(`${api.url}/problems/${name}`)).json()) as object;
    expect(shown).toEqual({ type: `/problems/${name}`, title, status, meaning, remedy });
    const docs = readFileSync("docs/api.md", "utf8");
    expect(docs).toContain(`<a id="problem-${name}"></a>`);
    expect(docs).toContain(meaning);
    expect(docs).toContain(remedy);
  });

  test("a browser gets pages that load nothing and run nothing", async () => {
    const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    for (const path of ["/problems", "/problems/precondition-failed", "/docs"]) {
      const response = await fetch(`${api.url}${path}`, { headers });
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      const page = await response.text();
      expect(page).toContain('<html lang="en">');
      expect(page).not.toMatch(/<script|\son\w+=|https?:\/\/(?!www\.apache)/i);
    }
  });

  test("a problem that there is not is none", async () => {
    const response = await fetch(`${api.url}/problems/toString`);
    expect(((await response.json()) as { type: string }).type).toBe("/problems/not-found");
  });
});

describe("what is told about a problem", () => {
  const read = async (response: Promise<Response>) =>
    (await response).json() as Promise<Record<string, unknown>>;

  test("everything that is wrong is told at once, with its place, value and what is allowed", async () => {
    const body = await read(send("GET /alerts?limit=0&srt=count&status=opened"));
    expect(body["errors"]).toEqual([
      {
        parameter: "status",
        detail: '"opened" is not allowed: expected open, acknowledged, in_progress, resolved or suppressed.',
        code: "value",
      },
      { parameter: "limit", detail: "0 is not allowed: expected at least 1.", code: "range" },
      { parameter: "srt", detail: '"srt" is not known here: did you mean "sort"?', code: "unknown" },
    ]);
    const posted = await read(
      send(`POST /alerts/nobody/changes?x=1`, { action: "assing", by: "" }, { "if-match": "*" }),
    );
    expect(posted["errors"]).toEqual([
      { parameter: "alert_id", detail: '"nobody" is not allowed: expected a UUID.', code: "format" },
      { parameter: "x", detail: '"x" is not known here.', code: "unknown" },
      expect.objectContaining({ pointer: "/action", code: "value" }),
    ]);
    const missing = await read(send("POST /silences", { query: "host:a", by: "ana" }));
    expect(missing["errors"]).toEqual([
      { pointer: "/comment", detail: "It is required and missing: expected a string.", code: "missing" },
      { pointer: "/ends_at", detail: "It is required and missing: expected a string.", code: "missing" },
    ]);
  });

  test("a query that cannot be read is told where and what", async () => {
    const body = await read(send(`GET /alerts?q=${encodeURIComponent("is:open severty:high")}`));
    expect(body).toMatchObject({ position: 8, length: 7, suggestion: "severity" });
  });

  test("the trace it belongs to is its instance", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect((await read(send("GET /alarms", undefined, { traceparent })))["instance"]).toBe(
      "urn:trace:4bf92f3577b34da6a3ce929d0e0e4736",
    );
    expect(await read(send("GET /alarms"))).not.toHaveProperty("instance");
  });
});

describe("Idempotency-Key", () => {
  const comment = (key: string, reason: string) =>
    change({ action: "comment", reason }, { ...any, "idempotency-key": key });
  const comments = async () =>
    (await api.sql`select from alert_changes where alert_id = ${alert} and action = 'comment'`).length;

  test("a repeat gets the first answer and does nothing", async () => {
    const before = await comments();
    const first = await comment('"one"', "Once.");
    const second = await comment("one", "Once.");
    expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([200, null]);
    expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect(await second.json()).toEqual(await first.json());
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(await comments()).toBe(before + 1);
  });

  test("of many at once one is done", async () => {
    const before = await comments();
    const answers = await Promise.all(Array.from({ length: 8 }, () => comment("many", "All at once.")));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200 || status === 409)).toHaveLength(8);
    expect(await comments()).toBe(before + 1);
  });

  test("a refusal is kept, a mark that a lost process left is taken over after a minute", async () => {
    const wrong = () =>
      send(
        `POST /alerts/${nobody}/changes`,
        { action: "acknowledge", by: "ana" },
        { ...any, "idempotency-key": "refused" },
      );
    expect((await wrong()).headers.get("idempotency-replayed")).toBe(null);
    const again = await wrong();
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([404, "true"]);
    await comment("lost", "Lost.");
    await api.sql`update idempotency_keys set status = null, created_at = now() - interval '59 seconds'`;
    expect((await comment("lost", "Lost.")).status).toBe(409);
    await api.sql`update idempotency_keys set created_at = now() - interval '61 seconds'`;
    expect((await comment("lost", "Lost.")).status).toBe(200);
  });

  test("after a day it is forgotten, and what failed on our side is never kept", async () => {
    await comment("day", "Today.");
    await api.sql`update idempotency_keys set created_at = now() - interval '25 hours'`;
    expect((await comment("day", "Another day.")).headers.get("idempotency-replayed")).toBe(null);
    const post = () =>
      sendTo(others["broken"], "POST /channels/console/redrive", {
        headers: { ...json, "idempotency-key": "fails" },
        body: JSON.stringify({ by: "ana" }),
      });
    expect([(await post()).status, (await post()).status]).toEqual([500, 500]);
  });

  test.for(["", "a b", "x".repeat(256)])("%j is no key", async (key) => {
    const response = await send("POST /silences/preview", { query: "host:a" }, { "idempotency-key": key });
    expect(response.status).toBe(400);
  });
});
