import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { insertAlerts } from "./insert-alerts.testing.ts";
import { openTestApi, type TestApi } from "./open-api.testing.ts";

let api: TestApi;
let ids: readonly string[];

beforeAll(async () => {
  api = await openTestApi();
  ids = await insertAlerts(api.sql, 150);
});
afterAll(() => api[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at whatever came
  readonly body: any;
}

async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${api.url}/api/v1${path}`, init);
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").endsWith("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const change = (
  id: string | undefined,
  body: object,
  headers: Record<string, string> = { "if-match": "*" },
) => post(`/alerts/${id}/changes`, { by: "ana", ...body }, headers);

describe("lists", () => {
  test("pages cover every alert once, forwards and backwards", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    let prev: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { status, body } = await call(`/alerts?limit=40${query}`);
      expect(status).toBe(200);
      seen.push(...body.items.map(({ alert_id }: { alert_id: string }) => alert_id));
      ({ next: cursor, prev } = body);
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const back = await call(`/alerts?limit=40&cursor=${prev}`);
    expect(back.body.items.map(({ alert_id }: { alert_id: string }) => alert_id)).toEqual(ids.slice(80, 120));
  });

  test("Link leads where next and prev do", async () => {
    const { headers, body } = await call("/alerts?limit=10&severity=HIGH&severity=LOW");
    const [, target] = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "") ?? [];
    const next = await call(`/alerts${target}`);
    expect(next.body.items).toHaveLength(10);
    expect(next.body.items[0].alert_id).not.toBe(body.items[0].alert_id);
    expect(new Set(next.body.items.map(({ severity }: { severity: string }) => severity))).toEqual(
      new Set(["HIGH", "LOW"]),
    );
    expect(next.headers.get("link")).toContain('rel="prev"');
  });

  test("the short forms and q narrow each other, and count tells how many", async () => {
    const { body } = await call(
      `/alerts?rule=rule-1&rule=rule-2&q=${encodeURIComponent("host:host-0")}&count=true`,
    );
    const expected = ids.filter((_, n) => [1, 2].includes(n % 7) && n % 3 === 0);
    expect(body).toMatchObject({ count: expected.length, capped: false });
    expect(body.items.map(({ alert_id }: { alert_id: string }) => alert_id)).toEqual(expected);
  });

  test("a quote in a short form stays in it", async () => {
    const { status, body } = await call(`/alerts?actor=${encodeURIComponent('x" OR severity:critical')}`);
    expect([status, body.items]).toEqual([200, []]);
  });

  test("a range is relative or absolute", async () => {
    const { body } = await call("/alerts?from=now-10m&count=true");
    expect(body.count).toBe(10);
    const none = await call("/alerts?to=2020-01-01T00:00:00Z");
    expect(none.body.items).toEqual([]);
  });

  test("an unchanged list is 304", async () => {
    const path = "/alerts?limit=3&to=2030-01-01T00:00:00Z";
    const etag = (await call(path)).headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"/);
    const again = await call(path, { headers: { "if-none-match": `"other", ${etag}` } });
    expect([again.status, again.body, again.headers.get("etag")]).toEqual([304, "", etag]);
    expect((await call(path, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("facets and histogram count", async () => {
    const facets = await call("/alerts/facets?key=severity&key=rule&prefix=rule-1");
    expect(facets.body.facets.rule).toEqual([
      { value: "rule-1", count: ids.filter((_, n) => n % 7 === 1).length },
    ]);
    const histogram = await call("/alerts/histogram?buckets=5&from=now-3h&to=now");
    const counts = histogram.body.buckets.map(({ count }: { count: number }) => count);
    expect(counts).toHaveLength(5);
    expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(150);
  });
});

describe("one alert", () => {
  test("it has evidence and a tag, and is 304 until it changes", async () => {
    const path = `/alerts/${ids[0]}`;
    const { status, headers, body } = await call(path);
    expect(status).toBe(200);
    expect(body).toMatchObject({ alert_id: ids[0], evidence: [{ id: "event-0" }], history: [], revision: 0 });
    expect(body).not.toHaveProperty("etag");
    const etag = headers.get("etag") ?? "";
    expect((await call(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await change(ids[0], { action: "comment", reason: "Looking." })).status).toBe(200);
    expect((await call(path, { headers: { "if-none-match": etag } })).status).toBe(200);
  });

  test("a change is a row of history, and a second one with the old tag is told who was first", async () => {
    const path = `/alerts/${ids[1]}`;
    const etag = (await call(path)).headers.get("etag") ?? "";
    const first = await change(
      ids[1],
      { action: "acknowledge", by: "bob", reason: "Mine." },
      { "if-match": etag },
    );
    expect(first.body).toMatchObject({
      unchanged: false,
      alert: { status: "acknowledged", revision: 1 },
      change: { action: "acknowledge", changed_by: { type: "user", id: "bob" }, reason: "Mine." },
    });
    const second = await change(ids[1], { action: "resolve", disposition: "benign" }, { "if-match": etag });
    expect(second.body).toMatchObject({
      type: "/problems/precondition-failed",
      revision: 1,
      last_change: { action: "acknowledge", changed_by: { id: "bob" } },
    });
    expect(second.body.detail).toContain("bob");
    const third = await change(
      ids[1],
      { action: "resolve", disposition: "benign" },
      { "if-match": second.headers.get("etag") ?? "" },
    );
    expect(third.body.alert).toMatchObject({ status: "resolved", disposition: "benign" });
    expect(third.headers.get("etag")).toMatch(/^"2\./);
    const history = await call(`${path}/changes`);
    expect(history.body.items.map(({ action }: { action: string }) => action)).toEqual([
      "acknowledge",
      "resolve",
    ]);
  });

  test("each action takes its own members and no others", async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await change(ids[2], { action: "snooze", until })).body.alert.snoozed_until).toBe(until);
    expect((await change(ids[2], { action: "unsnooze" })).body.alert.snoozed_until).toBe(null);
    expect((await change(ids[2], { action: "assign", assignee: "eve" })).body.alert.assignee).toBe("eve");
    expect((await change(ids[2], { action: "assign", assignee: null })).body.alert.assignee).toBe(null);
    const wrong = await change(ids[2], { action: "acknowledge", assigne: "eve" });
    expect(wrong.body).toMatchObject({
      type: "/problems/invalid-request",
      errors: [{ pointer: "/assigne", code: "unknown" }],
    });
  });

  test("in the past nothing can be snoozed", async () => {
    const { body } = await change(ids[2], { action: "snooze", until: "2020-01-01T00:00:00Z" });
    expect(body).toMatchObject({ type: "/problems/invalid-request", errors: [{ pointer: "/until" }] });
  });
});

describe("many alerts", () => {
  test("a dry run counts, the run changes, and a third finds nothing left", async () => {
    const body = { action: "acknowledge", query: "rule:rule-3 is:open", by: "ana" };
    const expected = ids.filter((_, n) => n % 7 === 3).length;
    const dry = await post("/alerts/changes", { ...body, dry_run: true });
    expect(dry.body).toMatchObject({ matched: expected, changed: expected, dry_run: true, capped: false });
    expect((await post("/alerts/changes", body)).body).toMatchObject({ changed: expected, dry_run: false });
    expect((await post("/alerts/changes", body)).body).toMatchObject({ matched: 0, changed: 0 });
  });

  test("by id, those that cannot are told", async () => {
    const one = ids[20] ?? "";
    await change(one, { action: "resolve", disposition: "duplicate" });
    const { body } = await post("/alerts/changes", { ids: [one, ids[21]], action: "acknowledge", by: "ana" });
    expect(body).toMatchObject({ matched: 2, changed: 1, refused: [{ alert_id: one, status: "resolved" }] });
  });

  test.for([[{}], [{ ids: ["0197a1e2-7c1f-5d3a-9a51-3f2b8c1d4e5f"], query: "is:open" }]] as const)(
    "either ids or query: %j",
    async ([choice]) => {
      const { status, body } = await post("/alerts/changes", { action: "acknowledge", by: "ana", ...choice });
      expect([status, body.type]).toEqual([400, "/problems/invalid-request"]);
    },
  );
});

describe("statements per request", () => {
  test("they are as many for few alerts as for many", async () => {
    const count = async (request: () => Promise<Answer>) => {
      api.statements();
      expect((await request()).status).toBe(200);
      return api.statements();
    };
    const bulk = (amount: number, reason: string) =>
      post("/alerts/changes", { ids: ids.slice(50, 50 + amount), action: "comment", reason, by: "ana" });
    expect(await count(() => call("/alerts?limit=2"))).toBe(1);
    expect(await count(() => call("/alerts?limit=150"))).toBe(1);
    expect(await count(() => call("/alerts?limit=150&count=true"))).toBe(2);
    expect(await count(() => call("/alerts/facets?key=severity"))).toBe(1);
    expect(await count(() => call("/alerts/facets?key=severity&key=rule&key=host&key=actor"))).toBe(1);
    expect(await count(() => call("/alerts/histogram"))).toBe(1);
    expect(await count(() => call(`/alerts/${ids[1]}`))).toBe(await count(() => call(`/alerts/${ids[30]}`)));
    expect(await count(() => bulk(50, "many"))).toBe(await count(() => bulk(1, "one")));
  });
});
