import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventRejected } from "../../events/contracts/event-rejected.ts";
import type { Event } from "../../events/event.ts";
import { encodeBinary } from "../../events/http.ts";
import { deriveUuid } from "../../events/identity.ts";
import { createLog } from "../../runtime/log.ts";
import { serve, type Served } from "../../runtime/serve.ts";
import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openPostgresServer } from "../../test/support/postgres-server.ts";
import { alertEvent, sightingEvent } from "./emissions.testing.ts";
import { notification } from "./function.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let served: Served;

const start = (env: Record<string, string>) =>
  serve(notification, { env, port: 0, host: "127.0.0.1", overrides: { log } });

beforeAll(async () => {
  database = await openTestDatabase();
  served = await start({ DATABASE_URL: database.url });
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const post = (event: Event, { url } = served, path = "/") =>
  fetch(`${url}${path}`, { method: "POST", ...toInit(event) });

function toInit(event: Event) {
  const { headers, body } = encodeBinary(event);
  return { headers, body: new Uint8Array(body) };
}

const get = async (path: string, { url } = served) => {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.json() };
};

/** Answers once the function is connected. */
async function untilReady({ url }: Served): Promise<void> {
  await expect.poll(async () => (await fetch(`${url}/alerts`)).status, { timeout: 30_000 }).toBe(200);
}

describe("notification over HTTP", () => {
  test("an alert that was answered 204 can be read at once", async () => {
    const event = sightingEvent({ alert: 1, group: 0, events: [1, 2, 3] }, "http");
    expect((await post(event)).status).toBe(204);
    const { status, body } = await get(`/alerts/${event.data.alert_id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      alert_id: event.data.alert_id,
      count: 3,
      first_seen: "2026-11-21T12:00:01.000Z",
      last_seen: "2026-11-21T12:00:03.000Z",
      status: "open",
      deliveries: [{ channel: "console", kind: "raised" }],
    });
    expect((await get("/alerts?limit=1000")).body).toContainEqual(
      expect.objectContaining({ alert_id: event.data.alert_id, count: 3 }),
    );
  });

  test("ten failed logins are one alert with count 10, whatever the deliveries", async () => {
    const parts = [[0, 1, 2], [3], [4], [2, 5], [6, 7], [8], [9], [9]];
    const events = parts.map((seen, n) =>
      sightingEvent({ alert: n % 2, group: 0, events: [0, ...seen] }, "ten"),
    );
    const answers = await Promise.all([...events, ...events].map((event) => post(event)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
    const rows = (await get("/alerts?limit=1000")).body as readonly { group_key?: string; count: number }[];
    const found = rows.filter((row) => JSON.stringify(row).includes(deriveUuid("ten", "0", "0")));
    const other = rows.filter((row) => JSON.stringify(row).includes(deriveUuid("ten", "0", "1")));
    expect([...found, ...other].map(({ count }) => count)).toEqual([10]);
  });

  test("a dead letter is stored with its bytes, whatever it is, and answered 2xx", async () => {
    const event = {
      ...alertEvent({}, "dead-1"),
      extensions: { knativeerrordest: "http://x.example/", knativeerrorcode: "500" },
    };
    expect((await post(event, served, "/dead-letters")).status).toBe(204);
    expect((await post(event, served, "/dead-letters")).status).toBe(204);
    const odd = await fetch(`${served.url}/dead-letters`, { method: "POST", body: "no event at all" });
    expect(odd.status).toBe(204);
    const rows = (await get("/dead-letters?limit=100")).body as readonly Record<string, unknown>[];
    expect(rows.filter((row) => JSON.stringify(row).includes("dead-1"))).toHaveLength(1);
    expect(rows).toContainEqual(
      expect.objectContaining({ origin: "http://x.example/", detail: "The subscriber answered 500." }),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ body_base64: Buffer.from("no event at all").toString("base64") }),
    );
  });

  test("a rejected event is listed among the dead letters", async () => {
    const [data] = eventRejected.examples;
    const event = { ...alertEvent({}, "rejected-1"), type: eventRejected.type, data };
    expect((await post(event)).status).toBe(204);
    expect((await get("/dead-letters")).body).toContainEqual(
      expect.objectContaining({ kind: "rejected", code: "EVENT_DATA_INVALID", origin: "analysis" }),
    );
    expect((await get("/dead-letters?limit=0")).status).toBe(400);
  });

  test.for([
    ["/nothing", "GET", 404],
    ["/alerts", "POST", 405],
    ["/dead-letters", "DELETE", 405],
  ] as const)("%s %s is refused as a problem", async ([path, method, status]) => {
    const response = await fetch(`${served.url}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  test("new alerts are streamed, and a client that comes back misses nothing", async () => {
    const first = await openStream(served.url);
    const one = alertEvent({ alert_id: deriveUuid("stream", "1") }, "stream-1");
    await post(one);
    const seen = await first.until((event) => event.data.includes(one.data.alert_id));
    await first.close();
    const two = alertEvent({ alert_id: deriveUuid("stream", "2") }, "stream-2");
    await post(two);
    const again = await openStream(served.url, seen.id);
    const found = await again.until((event) => event.data.includes(two.data.alert_id));
    expect(JSON.parse(found.data)).toMatchObject({ alert_id: two.data.alert_id, count: 1 });
    await again.close();
  });

  test("an open stream ends when the function stops, and does not hold it up", async () => {
    const own = await start({ DATABASE_URL: database.url, AUDITFLOW_DRAIN_TIMEOUT_MS: "600000" });
    const stream = await openStream(own.url);
    const ended = stream.until(() => false).catch((error: unknown) => error);
    await own[Symbol.asyncDispose]();
    expect(await ended).toMatchObject({ message: "The stream ended." });
  });

  test("bad settings are refused together, by name", async () => {
    const started = start({ AUDITFLOW_WEBHOOK_URL: "https://receiver.example/" });
    await expect(started).rejects.toThrow(/DATABASE_URL[\s\S]*AUDITFLOW_WEBHOOK_SECRET/);
  });
});

describe("predecessor-bug-38: people are told", () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

  test("an episode is told once, signed, also when the first attempts fail and alerts repeat", async () => {
    await using fresh = await openTestDatabase();
    const seen: { readonly id: unknown; readonly body: string }[] = [];
    const receiver = createServer((request, response) => {
      void text(request).then((body) => {
        seen.push({ id: request.headers["webhook-id"], body });
        return response.writeHead(seen.length === 1 ? 500 : 204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    await using closing = new AsyncDisposableStack();
    closing.defer(() => void receiver.close());
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const own = closing.use(
      await start({ DATABASE_URL: fresh.url, AUDITFLOW_WEBHOOK_URL: url, AUDITFLOW_WEBHOOK_SECRET: secret }),
    );
    await untilReady(own);
    const parts = [
      [1, 2],
      [2, 3],
      [3, 4],
      [1, 2],
    ];
    const events = parts.map((part, n) => sightingEvent({ alert: n % 3, group: 0, events: part }, "webhook"));
    for (const event of events) expect((await post(event, own)).status).toBe(204);
    const deliveries = async () => {
      await fetch(`${own.url}/deliveries/run`, { method: "POST" });
      const { body } = await get(`/alerts/${events[0]!.data.alert_id}`, own);
      return (body as { deliveries: readonly { channel: string; status: string; attempts: number }[] })
        .deliveries;
    };
    await expect
      .poll(deliveries, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ channel: "webhook", status: "delivered", attempts: 2 }));
    expect(seen).toHaveLength(2);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(1);
    expect(seen[0]?.body).toBe(seen[1]?.body);
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ data: { alert_id: events[0]!.data.alert_id } });
  });
});

describe("with the database away", () => {
  test("it starts, answers 503 and never 'nothing found', and recovers by itself", async () => {
    await using server = await openPostgresServer();
    await server.stop();
    await using own = await start({ DATABASE_URL: server.url });
    const event = sightingEvent({ alert: 1, group: 0, events: [1] }, "away");
    const letter = () => fetch(`${own.url}/dead-letters`, { method: "POST", body: "x" });
    const answers = [
      await post(event, own),
      await letter(),
      await fetch(`${own.url}/alerts`),
      await fetch(`${own.url}/alerts/${event.data.alert_id}`),
      await fetch(`${own.url}/alerts/stream`),
      await fetch(`${own.url}/deliveries/run`, { method: "POST" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(answers.every(({ headers }) => headers.has("retry-after"))).toBe(true);
    expect((await fetch(`${own.url}/livez`)).status).toBe(200);
    await server.start();
    await expect.poll(async () => (await post(event, own)).status, { timeout: 30_000 }).toBe(204);
    expect((await get(`/alerts/${event.data.alert_id}`, own)).body).toMatchObject({ count: 1 });
    expect((await letter()).status).toBe(204);
  });
});

interface StreamEvent {
  readonly id: string;
  readonly data: string;
}

/** A client of the stream; events are what has data. */
async function openStream(url: string, lastEventId?: string) {
  const headers: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const stop = new AbortController();
  const response = await fetch(`${url}/alerts/stream`, { headers, signal: stop.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    async until(isWanted: (event: StreamEvent) => boolean): Promise<StreamEvent> {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The stream ended.");
        buffered += value;
        const found = buffered.split("\n\n").slice(0, -1).map(toStreamEvent).find(isWanted);
        if (found) return found;
      }
    },
    async close() {
      stop.abort();
      await reader.closed.catch(() => undefined);
    },
  };
}

function toStreamEvent(block: string): StreamEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
  return { id: field("id"), data: field("data") };
}
