import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { createToken } from "../runtime/access/token.ts";
import { createLog } from "../runtime/log.ts";
import { runProcess } from "../runtime/process.testing.ts";
import { serve } from "../runtime/serve.ts";
import { dashboard } from "../functions/dashboard/function.ts";
import { generator } from "../functions/generator/function.ts";
import { targets } from "../functions/index.ts";

const main = fileURLToPath(new URL("../functions/main.ts", import.meta.url));
const framework = fileURLToPath(new URL("../node_modules/.bin/functions-framework", import.meta.url));
const source = fileURLToPath(new URL("../functions/framework.ts", import.meta.url));
const log = createLog({ name: "test", level: "silent" });

/** Nothing listens there. */
const settings = {
  DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
  AUDITFLOW_NOTIFICATION_URL: "http://127.0.0.1:1/",
  LOG_LEVEL: "warn",
};

const forPeople = ["generator", "notification", "dashboard"] as const;

/** Serves a function in this process, on all addresses unless `env` says otherwise. */
async function start(name: string, env: Record<string, string>) {
  const load = targets[name];
  if (!load) throw new Error(`There is no function "${name}".`);
  return serve(await load(), { env: { ...settings, ...env }, port: 0, overrides: { log } });
}

describe("a function that serves people, reachable by others", () => {
  test("does not start before it is said who may, and says what to set", async () => {
    const ends = forPeople.map(async (name) => {
      await using run = runProcess([main], { ...settings, FUNCTION_TARGET: name, PORT: "0" });
      return { name, code: await run.ended, output: run.output() };
    });
    for (const { name, code, output } of await Promise.all(ends)) {
      expect([name, code]).toEqual([name, 2]);
      expect(output).toContain("AUDITFLOW_AUTH  is required and not set");
      expect(output).not.toContain("    at ");
    }
  });

  test("does not start under functions-framework either, which listens on all addresses", async () => {
    const env = { ...settings, PORT: "0", AUDITFLOW_HOST: "127.0.0.1" };
    await using run = runProcess([framework, "--target=dashboard", `--source=${source}`], env);
    expect(await run.ended).toBe(2);
    expect(run.output()).toContain("AUDITFLOW_AUTH  is required and not set");
  });

  test.for(forPeople)("%s does not start on an address of others", async (name) => {
    for (const AUDITFLOW_HOST of ["0.0.0.0", "::"])
      await expect(start(name, { AUDITFLOW_HOST })).rejects.toThrow("AUDITFLOW_AUTH");
  });

  test.for(forPeople)("%s starts without a login when told so, and says so on every answer", async (name) => {
    await using served = await start(name, { AUDITFLOW_AUTH: "none" });
    for (const path of ["/", "/generator", "/nowhere", "/alerts", "/api/v1/alerts"]) {
      const response = await fetch(served.url + path);
      expect([path, response.headers.get("x-auditflow-notice")]).toEqual([
        path,
        expect.stringContaining("AUDITFLOW_AUTH=none: everybody who can reach this address"),
      ]);
    }
  });

  test.for(forPeople)("%s starts for this machine alone without a word", async (name) => {
    await using served = await start(name, { AUDITFLOW_HOST: "127.0.0.1" });
    const response = await fetch(`${served.url}/nowhere`);
    expect([response.status, response.headers.get("x-auditflow-notice")]).toEqual([404, null]);
  });
});

test("analysis serves no people and starts on all addresses", async () => {
  await using served = await start("analysis", {});
  expect((await fetch(`${served.url}/livez`)).status).toBe(200);
});

test("a key cannot be judged while the database is away: 503, neither 401 nor 202", async () => {
  const env = {
    ...settings,
    AUDITFLOW_AUTH: "keys",
    AUDITFLOW_DURABILITY: "broker",
    K_SINK: "http://127.0.0.1:1/",
  };
  await using served = await serve(generator, { env, port: 0, host: "127.0.0.1", overrides: { log } });
  const { text } = createToken((bytes) => randomBytes(bytes).toString("hex"));
  const response = await fetch(`${served.url}/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${text}`, "content-type": "application/json" },
    body: "{}",
  });
  expect([response.status, response.headers.has("retry-after")]).toEqual([503, true]);
});

describe("without a login", () => {
  const startPage = async (received: string[]) => {
    const upstream = createServer((request, response) => {
      received.push(`${request.method} ${request.url} ${request.headers.authorization ?? "nobody"}`);
      response.writeHead(200, { "content-type": "application/json", etag: '"1.2"' }).end("{}");
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const address = upstream.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const env = { AUDITFLOW_NOTIFICATION_URL: `http://127.0.0.1:${port}` };
    const served = await serve(dashboard, { env, port: 0, host: "127.0.0.1", overrides: { log } });
    return {
      url: served.url,
      async [Symbol.asyncDispose]() {
        await served[Symbol.asyncDispose]();
        upstream.closeAllConnections();
        upstream.close();
      },
    };
  };

  test("a page of another site cannot change anything through the dashboard; this one can", async () => {
    const received: string[] = [];
    await using page = await startPage(received);
    const post = (headers: Record<string, string>) =>
      fetch(`${page.url}/api/v1/silences`, { method: "POST", headers, body: "{}" });
    const foreign: readonly Record<string, string>[] = [
      { origin: "http://evil.example", "content-type": "text/plain" },
      { "sec-fetch-site": "cross-site" },
      { origin: "null" },
    ];
    for (const headers of foreign) {
      const response = await post(headers);
      expect([response.status, response.headers.get("content-type")]).toEqual([
        403,
        "application/problem+json",
      ]);
    }
    expect(received).toEqual([]);
    expect((await post({ origin: page.url })).status).toBe(200);
    expect((await post({})).status).toBe(200);
    expect(received).toEqual(["POST /api/v1/silences nobody", "POST /api/v1/silences nobody"]);
  });

  test("the credential and the version of a reader pass through, and an answer's back", async () => {
    const received: string[] = [];
    await using page = await startPage(received);
    const response = await fetch(`${page.url}/api/v1/alerts?limit=1`, {
      headers: { authorization: "Bearer x", "if-none-match": '"1.1"' },
    });
    expect([response.status, response.headers.get("etag")]).toEqual([200, '"1.2"']);
    expect(received).toEqual(["GET /api/v1/alerts?limit=1 Bearer x"]);
  });
});
