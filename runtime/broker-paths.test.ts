import { request } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";

import { alertRaised } from "../events/contracts/alert-raised.ts";
import { encodeBinary } from "../events/http.ts";
import { createEvent } from "../events/envelope.ts";
import { createApp } from "./app.ts";
import { defineFunction } from "./function.ts";
import { createLog } from "./log.ts";
import { serve } from "./serve.ts";

const log = createLog({ name: "test", level: "silent" });

/** Handles events, takes dead letters, is woken by a clock, and serves people. */
const mixed = defineFunction({
  name: "mixed",
  accepts: [alertRaised],
  emits: [],
  deliveryPaths: ["/dead-letters"],
  schedulePaths: ["/deliveries/run"],
  config: z.object({}),
  async start() {
    const app = createApp({ log });
    app.get("/alerts", (c) => c.text("alerts"));
    app.get("/dead-letters", (c) => c.text(`letters ${new URL(c.req.url).search}`));
    app.post("/dead-letters", (c) => c.body(null, 204));
    app.post("/deliveries/run", (c) => c.text(`ran ${new URL(c.req.url).search}`));
    return { handle: async () => [], fetch: app.fetch, [Symbol.asyncDispose]: async () => undefined };
  },
});

/** Nothing for a broker: `POST /` is for people. */
const intake = defineFunction({
  name: "intake",
  accepts: [],
  emits: [],
  schedulePaths: ["/tick"],
  config: z.object({}),
  async start() {
    const app = createApp({ log });
    app.post("/", (c) => c.text("taken"));
    app.post("/tick", (c) => c.text("ticked"));
    return { fetch: app.fetch, [Symbol.asyncDispose]: async () => undefined };
  },
});

const event = encodeBinary(
  createEvent(alertRaised, {
    id: "1",
    source: "/auditflow/analysis",
    time: "2026-11-21T12:00:00Z",
    data: alertRaised.data.parse(alertRaised.examples[0]),
  }),
);

/** The status for a request target exactly as it is written, which `fetch` would tidy up. */
function ask(port: number, method: string, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, method, path: target, headers: { ...event.headers } });
    asking.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    asking.on("error", reject);
    asking.end(method === "POST" ? event.body : undefined);
  });
}

const together = [
  ["POST", "/", 204],
  ["POST", "/dead-letters", 204],
  ["POST", "/deliveries/run", 200],
  ["GET", "/dead-letters", 200],
  ["GET", "/alerts", 200],
  ["GET", "/livez", 200],
  ["POST", "/broker", 404],
  ["POST", "/broker/dead-letters", 404],
] as const;

test("without a prefix all paths lie together", async () => {
  await using served = await serve(mixed, { env: {}, port: 0, host: "127.0.0.1", overrides: { log } });
  for (const [method, path, status] of together)
    expect([method, path, await ask(served.port, method, path)]).toEqual([method, path, status]);
});

const apart = [
  ["POST", "/broker", 204],
  ["POST", "/broker/", 204],
  ["POST", "/broker/dead-letters", 204],
  ["POST", "/broker/deliveries/run", 200],
  ["GET", "/dead-letters", 200],
  ["GET", "/alerts", 200],
  ["GET", "/livez", 200],
  // Not outside of it, however the path is spelled.
  ["POST", "/", 404],
  ["POST", "/dead-letters", 404],
  ["POST", "/dead-letters?x=/broker/", 404],
  ["POST", "/%64ead-letters", 404],
  ["POST", "/./dead-letters", 404],
  ["POST", "/broker/../dead-letters", 404],
  ["POST", "http://127.0.0.1/dead-letters", 404],
  ["POST", "/deliveries/%72un", 404],
  // Nor below it spelled so that whoever compares letters does not see it.
  ["POST", "/%62roker/dead-letters", 404],
  ["POST", "/broker/%64ead-letters", 404],
  ["POST", "/x/../broker/dead-letters", 404],
  ["POST", "/%62roker", 404],
  // And nothing for people inside of it.
  ["GET", "/broker", 404],
  ["GET", "/broker/alerts", 404],
  ["GET", "/broker/dead-letters", 404],
  ["GET", "/broker/livez", 404],
  ["POST", "/broker/broker", 404],
  ["GET", "/brokerage", 404],
] as const;

test("with a prefix a broker is answered below it alone, and people outside of it alone", async () => {
  const env = { AUDITFLOW_BROKER_PATH_PREFIX: "/broker" };
  await using served = await serve(mixed, { env, port: 0, host: "127.0.0.1", overrides: { log } });
  for (const [method, path, status] of apart)
    expect([method, path, await ask(served.port, method, path)]).toEqual([method, path, status]);
  const ran = await fetch(`${served.url}/broker/deliveries/run?limit=%2F1`, { method: "POST" });
  expect(await ran.text()).toBe("ran ?limit=%2F1");
});

const pages: readonly Readonly<Record<string, string>>[] = [
  { origin: "http://rebound.example", "content-type": "text/plain" },
  { "sec-fetch-site": "cross-site" },
  { origin: "null" },
];

test.for([
  ["POST", "/"],
  ["POST", "/dead-letters"],
  ["POST", "/deliveries/run"],
  ["PUT", "/loglevel"],
] as const)("a page in a browser is refused: %s %s", async ([method, path]) => {
  await using served = await serve(mixed, { env: {}, port: 0, host: "127.0.0.1", overrides: { log } });
  const change = { method, body: method === "PUT" ? "silent" : "x" };
  const send = (headers: Record<string, string>) => fetch(`${served.url}${path}`, { ...change, headers });
  for (const headers of pages) {
    const refused = await send(headers);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: "CROSS_SITE" }),
    ]);
  }
  expect((await send({})).ok).toBe(true);
});

test("a Host that makes no URL is the caller's fault", async () => {
  await using served = await serve(mixed, { env: {}, port: 0, host: "127.0.0.1", overrides: { log } });
  const status = await new Promise<number>((resolve, reject) => {
    const asking = request({
      port: served.port,
      host: "127.0.0.1",
      path: "/alerts",
      headers: { host: "127.999.1.1" },
    });
    asking.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    asking.on("error", reject);
    asking.end();
  });
  expect(status).toBe(400);
});

test("a function without a handler takes POST / from people, with a prefix too", async () => {
  const env = { AUDITFLOW_BROKER_PATH_PREFIX: "/internal/broker" };
  await using served = await serve(intake, { env, port: 0, host: "127.0.0.1", overrides: { log } });
  const statuses = ["/", "/tick", "/internal/broker/tick", "/internal/broker"].map((path) =>
    ask(served.port, "POST", path),
  );
  expect(await Promise.all(statuses)).toEqual([200, 404, 200, 404]);
});

test.for(["broker", "/broker/", "/", "/a b", "/a//b"])("the prefix %j is refused", async (prefix) => {
  const starting = serve(mixed, {
    env: { AUDITFLOW_BROKER_PATH_PREFIX: prefix },
    port: 0,
    host: "127.0.0.1",
  });
  await expect(starting).rejects.toThrow("AUDITFLOW_BROKER_PATH_PREFIX");
});
