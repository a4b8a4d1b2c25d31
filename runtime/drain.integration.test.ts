import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";

import { echo } from "./echo.testing.ts";
import { envelope } from "./host-client.testing.ts";
import { runProcess, startProcess } from "./process.testing.ts";
import { serve } from "./serve.ts";

const path = (url: string) => fileURLToPath(new URL(url, import.meta.url));
const cli = fileURLToPath(
  import.meta.resolve("@google-cloud/functions-framework").replace(/index\.js$/, "main.js"),
);
const silent = { LOG_LEVEL: "silent" };

/** A server that answers nobody until it is told to; what asks it is in flight for that long. */
async function openGate() {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => waiting.push(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    waiting: () => waiting.length,
    open: () => waiting.splice(0).forEach((response) => response.end("[]")),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const deliver = (url: string, data: unknown) =>
  fetch(url, { method: "POST", headers: envelope, body: JSON.stringify(data) });

describe.each([
  ["serve", [fileURLToPath(new URL("echo.serve.testing.ts", import.meta.url))]],
  [
    "functions-framework",
    [
      cli,
      "--target=echo",
      `--source=${fileURLToPath(new URL("echo.framework.testing.ts", import.meta.url))}`,
    ],
  ],
])("a process of %s", (_, args) => {
  test("told to stop finishes what is in flight, accepts nothing new and ends with 0", async () => {
    await using gate = await openGate();
    await using running = await startProcess(args, { LOG_LEVEL: "info" });
    const answers = [1, 2, 3].map(() =>
      deliver(running.url, { event_type: "asks", details: { url: gate.url } }),
    );
    await vi.waitFor(() => expect(gate.waiting()).toBe(3));
    running.kill("SIGTERM");
    await vi.waitFor(() => expect(fetch(running.url)).rejects.toThrow("fetch failed"));
    expect(running.exitCode()).toBeUndefined();
    gate.open();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual([204, 204, 204]);
    expect(await running.ended).toBe(0);
    expect(running.output()).toContain("echo disposed");
  });

  test("told twice ends at once", async () => {
    await using gate = await openGate();
    await using running = await startProcess(args, silent);
    const answer = deliver(running.url, { event_type: "asks", details: { url: gate.url } }).catch(
      () => undefined,
    );
    await vi.waitFor(() => expect(gate.waiting()).toBe(1));
    running.kill("SIGTERM");
    await vi.waitFor(() => expect(fetch(running.url)).rejects.toThrow("fetch failed"));
    running.kill("SIGTERM");
    expect(await running.ended).toBe(130);
    await answer;
  });

  test("gives up what never ends: it is answered 503, and the process ends with 0", async () => {
    await using running = await startProcess(args, { ...silent, AUDITFLOW_DRAIN_TIMEOUT_MS: "200" });
    await deliver(running.url, { event_type: "quiet" });
    const answer = deliver(running.url, { event_type: "hangs" });
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toMatch(/events_received_total\{[^}]*\} 2\n/);
    });
    running.kill("SIGTERM");
    expect((await answer).status).toBe(503);
    expect(await running.ended).toBe(0);
  });
});

test("while it drains, a function is not ready and closes connections as they become idle", async () => {
  await using gate = await openGate();
  const served = await serve(echo, { env: silent, port: 0, host: "127.0.0.1" });
  const asked = deliver(served.url, { event_type: "asks", details: { url: gate.url } });
  const early = connect(served.port, "127.0.0.1");
  await vi.waitFor(() => expect(gate.waiting()).toBe(1));
  early.write("GET /readyz HTTP/1.1\r\nHost: x\r\n");
  await vi.waitFor(() => expect(early.bytesWritten).toBeGreaterThan(0));
  // The server has to have seen the beginning of the request; another answer proves that it is past it.
  await fetch(`${served.url}/livez`);
  const disposed = served[Symbol.asyncDispose]();
  early.write("\r\n");
  const [answer] = (await once(early, "data")) as [Buffer];
  expect(answer.toString()).toContain("503 Service Unavailable");
  gate.open();
  expect((await asked).status).toBe(204);
  await disposed;
});

test("a connection that never carried a request does not hold up the end", async () => {
  const served = await serve(echo, { env: silent, port: 0, host: "127.0.0.1" });
  const socket = connect(served.port, "127.0.0.1");
  await once(socket, "connect");
  await fetch(`${served.url}/livez`);
  const closed = once(socket, "close");
  await served[Symbol.asyncDispose]();
  await expect(closed).resolves.toBeDefined();
  // Left alone, Node would close it only after its timeout for headers.
}, 8000);

test("a port that is taken is told, and what was opened is released", async () => {
  await using first = await serve(echo, { env: silent, port: 0, host: "127.0.0.1" });
  const release = vi.fn<() => Promise<void>>(async () => {});
  const definition = { ...echo, start: async () => ({ [Symbol.asyncDispose]: release }) };
  const second = serve(definition, { env: silent, port: first.port, host: "127.0.0.1" });
  await expect(second).rejects.toThrow("EADDRINUSE");
  expect(release).toHaveBeenCalledOnce();
});

describe("functions/main.ts", () => {
  const main = path("../functions/main.ts");

  test.for([
    [{}, "FUNCTION_TARGET  is required and not set: one of generator|analysis|notification|dashboard."],
    [{ FUNCTION_TARGET: "analyses" }, '"analyses" is not one of generator|analysis|notification|dashboard.'],
    [{ FUNCTION_TARGET: "toString" }, '"toString" is not one of'],
    [{ FUNCTION_TARGET: "dashboard", PORT: "http" }, "2 settings are wrong"],
  ] as const)("with %j ends with 2 and says what is wrong", async ([env, message]) => {
    await using run = runProcess([main], env);
    expect(await run.ended).toBe(2);
    expect(run.output()).toContain(message);
    expect(run.output()).not.toContain("    at ");
  });

  test("serves the function FUNCTION_TARGET names and drains on SIGTERM", async () => {
    await using gate = await openGate();
    await using running = await startProcess([main], {
      FUNCTION_TARGET: "dashboard",
      AUDITFLOW_HOST: "127.0.0.1",
      AUDITFLOW_NOTIFICATION_URL: gate.url,
    });
    const healthz: unknown = await (await fetch(`${running.url}/healthz`)).json();
    expect(healthz).toMatchObject({ function: "dashboard" });
    const alerts = fetch(`${running.url}/alerts`);
    await vi.waitFor(() => expect(gate.waiting()).toBe(1));
    running.kill("SIGTERM");
    await vi.waitFor(() => expect(fetch(running.url)).rejects.toThrow("fetch failed"));
    gate.open();
    expect((await alerts).status).toBe(200);
    expect(await running.ended).toBe(0);
  });
});

test("functions/framework.ts runs the real targets under the framework's command line", async () => {
  const source = path("../functions/framework.ts");
  const env = {
    ...silent,
    AUDITFLOW_AUTH: "none",
    AUDITFLOW_NOTIFICATION_URL: "http://127.0.0.1:9/",
  };
  await using running = await startProcess([cli, "--target=dashboard", `--source=${source}`], env);
  expect(await (await fetch(`${running.url}/healthz`)).json()).toMatchObject({ function: "dashboard" });
  expect((await fetch(`${running.url}/nowhere`)).headers.get("content-type")).toBe(
    "application/problem+json",
  );
});

test("under the framework's command line too, a wrong setting ends the process with 2", async () => {
  const source = path("../functions/framework.ts");
  await using run = runProcess([cli, "--target", "dashboard", `--source=${source}`], {
    PORT: "0",
    LOG_LEVEL: "loud",
  });
  expect(await run.ended).toBe(2);
  expect(run.output()).toContain("LOG_LEVEL");
});
