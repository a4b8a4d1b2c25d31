import { createServer } from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";

import { createLog } from "../../runtime/log.ts";
import { serve, type Served } from "../../runtime/serve.ts";
import { dashboard } from "./function.ts";

const log = createLog({ name: "test", level: "silent" });

function start(upstream: string): Promise<Served> {
  const env = { AUDITFLOW_NOTIFICATION_URL: upstream };
  return serve(dashboard, { env, port: 0, host: "127.0.0.1", overrides: { log } });
}

test.for([
  ["/", "text/html"],
  ["/app.js", "text/javascript"],
  ["/style.css", "text/css"],
  ["/icon.svg", "image/svg+xml"],
] as const)("%s is served, and nothing else may be loaded by it", async ([path, contentType]) => {
  await using page = await start("http://127.0.0.1:1");
  const response = await fetch(page.url + path);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain(contentType);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
});

test.for([
  ["GET", "/nothing", 404],
  ["GET", "/../package.json", 404],
  ["DELETE", "/alerts", 405],
] as const)("%s %s is a problem, status %i", async ([method, path, status]) => {
  await using page = await start("http://127.0.0.1:1");
  const response = await fetch(page.url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
});

test("reads pass to notification with their query, and its answers come back unchanged", async () => {
  const asked: string[] = [];
  const upstream = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response
      .writeHead(400, { "content-type": "application/json" })
      .end('{"error":"Offset cannot be negative."}');
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await using page = await start(`http://127.0.0.1:${port}`);

  const response = await fetch(`${page.url}/alerts?limit=5&offset=-1`);
  expect([response.status, await response.json()]).toEqual([400, { error: "Offset cannot be negative." }]);
  expect(asked).toEqual(["GET /alerts?limit=5&offset=-1"]);
  upstream.close();
});

test("a stream passes as it comes and goes on", async () => {
  const upstream = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: after ${String(request.headers["last-event-id"])}\n\n`);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await using page = await start(`http://127.0.0.1:${port}`);

  const ended = new AbortController();
  const headers = { accept: "text/event-stream", "last-event-id": "7" };
  const response = await fetch(`${page.url}/alerts/stream`, { headers, signal: ended.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toBe("data: after 7\n\n");
  ended.abort();
  upstream.closeAllConnections();
  upstream.close();
});
