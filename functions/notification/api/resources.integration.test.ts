import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { insertAlerts } from "./insert-alerts.testing.ts";
import { accessOf, openTestApi, type TestApi } from "./open-api.testing.ts";

let api: TestApi;
let ids: readonly string[];

beforeAll(async () => {
  api = await openTestApi();
  ids = await insertAlerts(api.sql, 1200);
});
afterAll(() => api[Symbol.asyncDispose]());

async function call(path: string, { method = "GET", body }: { method?: string; body?: unknown } = {}) {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /^application\/(?:problem\+)?json$/.test(response.headers.get("content-type") ?? "");
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at whatever came
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : {},
  };
}

const post = (path: string, body: unknown = {}) => call(path, { method: "POST", body });

describe("silences", () => {
  test("one is previewed, made, shown, listed, ended and kept", async () => {
    const query = "rule:rule-1 host:host-0";
    const expected = ids.filter((_, n) => n % 7 === 1 && n % 3 === 0).length;
    const preview = await post("/silences/preview", { query });
    expect(preview.body).toMatchObject({ matched: expected, capped: false, true_positives: 0 });
    const ends_at = new Date(Date.now() + 3_600_000).toISOString();
    const made = await post("/silences", { query, comment: "A test.", ends_at, by: "ana" });
    expect([made.status, made.body]).toMatchObject([201, { query, author: "ana", ends_at, active: true }]);
    const path = `/silences/${made.body.silence_id}`;
    expect(made.headers.get("location")).toBe(`/api/v1${path}`);
    expect((await call(path)).body).toEqual(made.body);
    expect((await call("/silences?active=true")).body.items).toEqual([made.body]);
    const ended = await post(`${path}/expire`, { by: "bob" });
    expect(ended.body).toMatchObject({ active: false, expired_by: "bob" });
    expect((await call("/silences?active=true")).body.items).toEqual([]);
    expect((await call("/silences?active=false")).body.items).toEqual([ended.body]);
  });

  test.for([
    [{ query: "" }, "/query"],
    [{ query: "data.a:1" }, "/query"],
    [{ ends_at: "2020-01-01T00:00:00Z" }, "/ends_at"],
    [{ ends_at: "tomorrow" }, "/ends_at"],
    [{ comment: "" }, "/comment"],
  ] as const)("%j cannot be", async ([wrong, pointer]) => {
    const ends_at = new Date(Date.now() + 3_600_000).toISOString();
    const refused = await post("/silences", { query: "host:a", comment: "c", ends_at, by: "ana", ...wrong });
    expect([refused.status, refused.body.errors]).toEqual([400, [expect.objectContaining({ pointer })]]);
  });
});

describe("channels and deliveries", () => {
  test("a test message is a delivery that can be followed, discarded and sent again", async () => {
    const channels = await call("/channels");
    expect(channels.body.items).toEqual([
      { name: "console", type: "console", circuit: { state: "closed", since: "2026-11-21T12:00:00.000Z" } },
    ]);
    const sent = await post("/channels/console/test", { by: "ana" });
    expect([sent.status, sent.body]).toMatchObject([
      202,
      { channel: "console", kind: "test", status: "pending" },
    ]);
    const path = `/deliveries/${sent.body.delivery_id}`;
    expect((await call(path)).body).toMatchObject({
      ...sent.body,
      attempt_log: [],
      message: { type: "test" },
    });
    expect((await call("/deliveries?status=pending&channel=console")).body.items).toEqual([sent.body]);
    expect((await post(`${path}/resend`, { by: "ana" })).body).toEqual(sent.body);
    expect((await post(`${path}/discard`, { by: "ana" })).body.status).toBe("discarded");
    expect((await post(`${path}/resend`, { by: "ana" })).body.status).toBe("pending");
    await api.sql`update deliveries set status = 'delivered', finished_at = now()`;
    const again = await post(`${path}/resend`, { by: "ana" });
    expect(again.body).toMatchObject({ kind: "resent", status: "pending" });
    expect(again.body.delivery_id).not.toBe(sent.body.delivery_id);
    const late = await post(`${path}/discard`, { by: "ana" });
    expect([late.status, late.body.type]).toEqual([409, "/problems/state-conflict"]);
  });

  test("all that failed on a channel is sent again at once", async () => {
    await api.sql`update deliveries set status = 'failed'`;
    const { body } = await post("/channels/console/redrive", { by: "ana" });
    expect(body).toEqual({ redriven: 2, more: false });
    expect((await post("/channels/nowhere/redrive", { by: "ana" })).status).toBe(404);
    expect((await post("/channels/nowhere/test", { by: "ana" })).status).toBe(404);
  });

  test("they are paged, newest first, each once", async () => {
    for (let n = 0; n < 5; n++) await post("/channels/console/test", { by: "ana" });
    const first = await call("/deliveries?limit=4");
    const second = await call(`/deliveries?limit=4&cursor=${first.body.next}`);
    const seen = [...first.body.items, ...second.body.items].map(({ delivery_id }) => delivery_id);
    expect([new Set(seen).size, second.body.next]).toEqual([7, null]);
    expect(first.headers.get("link")).toMatch(/^<\?limit=4&cursor=[^>]+>; rel="next"$/);
  });
});

describe("dead letters", () => {
  test("one is listed, shown, discarded with a reason and then no more", async () => {
    const [{ id } = { id: "" }] = await api.sql<{ id: string }[]>`
      insert into dead_letters (dead_letter_id, kind, code, detail, origin, headers, body, event_id)
      values (gen_random_uuid(), 'rejected', 'EVENT_DATA_INVALID', 'd', 'analysis',
        '{"ce-id": "e1"}', 'text', 'e1') returning dead_letter_id as id`;
    const list = await call(
      "/dead-letters?status=open&kind=rejected&code=EVENT_DATA_INVALID&origin=analysis",
    );
    expect(list.body.items).toMatchObject([{ dead_letter_id: id, event: { id: "e1" }, status: "open" }]);
    expect((await call(`/dead-letters/${id}`)).body).toMatchObject({
      headers: { "ce-id": "e1" },
      body: "text",
    });
    expect((await post(`/dead-letters/${id}/discard`, { by: "ana" })).body.errors).toMatchObject([
      { pointer: "/reason" },
    ]);
    const gone = await post(`/dead-letters/${id}/discard`, { by: "ana", reason: "Old." });
    expect(gone.body).toMatchObject({ status: "discarded", handled_by: "ana", handled_reason: "Old." });
    expect((await post(`/dead-letters/${id}/replay`, { by: "ana" })).status).toBe(409);
    expect((await call("/dead-letters?status=open")).body.items).toEqual([]);
  });
});

describe("exports", () => {
  test("NDJSON has every alert once, in order", async () => {
    const { headers, text } = await call("/alerts/export?sort=-last_seen");
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(headers.get("content-disposition")).toBe('attachment; filename="alerts.ndjson"');
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { alert_id: string }).alert_id)).toEqual(ids);
  });

  test("CSV starts no formula", async () => {
    const { headers, text } = await call("/alerts/export?format=csv&severity=CRITICAL&rule=rule-0");
    expect(headers.get("content-type")).toContain("text/csv");
    const [head = "", first = ""] = text.split("\r\n");
    expect(head.split(",").slice(0, 3)).toEqual(["alert_id", "timestamp", "first_seen"]);
    expect(first).toContain(`"'=1+1, ""quoted"""`);
    expect(text.trimEnd().split("\r\n")).toHaveLength(1 + ids.filter((_, n) => n % 35 === 0).length);
  });

  test("nothing that matches is an empty export, with a head for CSV", async () => {
    expect((await call("/alerts/export?q=host:nowhere")).text).toBe("");
    expect((await call("/alerts/export?q=host:nowhere&format=csv")).text).toMatch(/^alert_id,.*\r\n$/);
  });

  test.for(["ocsf", "ecs"])("%s is what one alert is in that format", async (format) => {
    const { text } = await call(`/alerts/export?format=${format}&q=id:${ids[0]}`);
    const one = await call(`/alerts/${ids[0]}?format=${format}`);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([one.body]);
  });
});

describe("who is asking", () => {
  test("me, and keys for administrators", async () => {
    expect((await call("/me")).body).toEqual({
      id: "anonymous",
      type: "anonymous",
      scopes: ["ingest", "viewer", "responder", "admin"],
      auth: "local",
    });
    const [{ key_id } = { key_id: "" }] = await api.sql<{ key_id: string }[]>`
      insert into api_keys (key_id, prefix, name, scopes, hash)
      values (gen_random_uuid(), 'af_abc', 'ci', '{viewer}', 'h') returning key_id`;
    const keys = await call("/keys");
    expect(keys.body.items).toMatchObject([{ key_id, name: "ci", scopes: ["viewer"], state: "active" }]);
    expect(keys.text).not.toContain("hash");
    expect((await call(`/keys/${key_id}`, { method: "DELETE" })).body.state).toBe("revoked");
  });

  test("a known caller is the actor and needs no name", async () => {
    await using known = await openTestApi(
      { access: accessOf({ id: "bob", scopes: ["responder"] }) },
      api.databaseUrl,
    );
    const response = await fetch(`${known.url}/api/v1/alerts/${ids[3]}/changes`, {
      method: "POST",
      headers: { "content-type": "application/json", "if-match": "*" },
      body: JSON.stringify({ action: "acknowledge" }),
    });
    expect(await response.json()).toMatchObject({ change: { changed_by: { type: "user", id: "bob" } } });
    const me = await fetch(`${known.url}/api/v1/me`);
    expect(await me.json()).toEqual({
      id: "bob",
      type: "key",
      scopes: ["viewer", "responder"],
      auth: "login",
    });
  });

  test("a notice is on every answer", async () => {
    const access = { ...accessOf(), notice: "Nobody is asked.", mode: "none" as const };
    await using open = await openTestApi({ access }, api.databaseUrl);
    for (const path of ["/api/v1/me", "/api/v1/nothing", "/alerts", "/docs", "/problems", "/openapi.json"]) {
      const response = await fetch(`${open.url}${path}`, { headers: { accept: "text/html" } });
      expect([path, response.headers.get("x-auditflow-notice")]).toEqual([path, "Nobody is asked."]);
      const text = await response.text();
      if (response.headers.get("content-type")?.includes("html")) expect(text).toContain("Nobody is asked.");
    }
  });
});

test("requests are counted for each caller, and too many are told when to come again", async () => {
  const clock = { now: 0 };
  await using limited = await openTestApi({ requestsPerMinute: 2, now: () => clock.now }, api.databaseUrl);
  const ask = async () => {
    const { status, headers } = await fetch(`${limited.url}/api/v1/me`);
    return [status, headers.get("ratelimit"), headers.get("ratelimit-policy"), headers.get("retry-after")];
  };
  const policy = '"default";q=2;w=60';
  expect(await ask()).toEqual([200, '"default";r=1;t=30', policy, null]);
  expect(await ask()).toEqual([200, '"default";r=0;t=60', policy, null]);
  expect(await ask()).toEqual([429, '"default";r=0;t=60', policy, "30"]);
  clock.now = 30_000;
  expect(await ask()).toEqual([200, '"default";r=0;t=60', policy, null]);
});

describe("odd requests", () => {
  test("a HEAD of a stream does not hold what the stream would", async () => {
    let cancelled = 0;
    const stream = async () =>
      new Response(new ReadableStream({ cancel: () => void (cancelled += 1) }), {
        headers: { "content-type": "text/event-stream" },
      });
    await using own = await openTestApi({ stream }, api.databaseUrl);
    const response = await fetch(`${own.url}/api/v1/stream`, { method: "HEAD" });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(cancelled).toBe(1);
  });

  test("the year 0, which PostgreSQL has not, is a time before all others", async () => {
    const from = "0000-01-01T00:00:00Z";
    const bulk = await post("/alerts/changes", {
      action: "acknowledge",
      by: "ana",
      query: "count:>0",
      from,
      dry_run: true,
    });
    expect([bulk.status, bulk.body.matched]).toEqual([200, ids.length]);
    const preview = await post("/silences/preview", { query: "count:>0", from, to: from });
    expect([preview.status, preview.body.matched]).toEqual([200, 0]);
    const cursor = Buffer.from(JSON.stringify({ at: from, id: ids[0] })).toString("base64url");
    expect((await call(`/deliveries?cursor=${cursor}`)).status).toBe(400);
  });
});
