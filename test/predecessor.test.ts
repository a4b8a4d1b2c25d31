import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

import { listSettings } from "../cli/doctor/settings.ts";
import { openLocalBroker } from "../events/broker/local.ts";
import { readManifests } from "../events/broker/manifests.ts";
import { profiles } from "../events/broker/profile.ts";
import { planWiring } from "../events/broker/topology.ts";
import { encodeBinary } from "../events/http.ts";
import { dashboard } from "../functions/dashboard/function.ts";
import { createLog } from "../runtime/log.ts";
import { serve } from "../runtime/serve.ts";
import { sampleEvent } from "./bench/sample.ts";
import { openTestPipeline } from "./support/pipeline.ts";
import { freePort } from "./support/port.ts";

// What the predecessor got wrong and no single folder can prove; the other rows are beside the code they touch.

const log = createLog({ name: "test", level: "silent" });
const profile = profiles["knative-rabbitmq"];

test("predecessor-bug-15: every delivery is retried with growing waits, a bounded number of times, then dead-lettered", async () => {
  const { lanes } = planWiring(await readManifests("knative/base"), { profile });
  const subscribers = lanes.filter(({ deadLetter }) => !deadLetter);
  expect(subscribers.length).toBeGreaterThan(2);
  for (const { policy, deadLetterExchange } of subscribers) {
    expect(policy).toMatchObject({ retry: 8, backoffPolicy: "exponential" });
    expect(deadLetterExchange).toBeTypeOf("string");
  }
});

test("predecessor-bug-16: no consumer takes more at a time than its Trigger allows", async () => {
  const { lanes } = planWiring(await readManifests("knative/base"), { profile });
  for (const { parallelism } of lanes) expect(parallelism).toBeLessThanOrEqual(100);
});

test("predecessor-bug-23: a broker that is not there at the start is refused loudly, not waited for in silence", async () => {
  const amqpUrl = `amqp://127.0.0.1:${await freePort()}`;
  await using broker = await openLocalBroker({
    manifests: "knative/base",
    amqpUrl,
    resolve: () => "http://127.0.0.1:1",
  });
  expect(broker.status()).toMatchObject({ up: false });
  const { headers, body } = encodeBinary(sampleEvent);
  const response = await fetch(broker.url, { method: "POST", headers, body: new Uint8Array(body) });
  expect(response.status).toBeGreaterThanOrEqual(500);
});

test("predecessor-bug-40: an accepted event is kept, verbatim", async () => {
  await using pipeline = await openTestPipeline();
  const data = {
    event_type: "user_login",
    event_id: "kept-1",
    note: "ünïcode \u0000 kept",
    details: { n: 1.5 },
  };
  const response = await fetch(`${pipeline.urlOf("generator")}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(data),
  });
  expect(response.status).toBe(202);
  await pipeline.settled(1);
  const kept: unknown[] = [];
  for await (const { event } of pipeline.ledger.replay({ from: 0, to: Number.MAX_SAFE_INTEGER }))
    kept.push(event.data);
  expect(kept).toEqual([expect.objectContaining(data)]);
});

test("predecessor-bug-41: a store that is away is an error page to programs, without its internals", async () => {
  const upstream = `http://127.0.0.1:${await freePort()}`;
  await using page = await serve(dashboard, {
    env: { AUDITFLOW_NOTIFICATION_URL: upstream },
    port: 0,
    host: "127.0.0.1",
    overrides: { log },
  });
  const response = await fetch(`${page.url}/alerts`);
  expect(response.status).toBe(502);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.text()).not.toContain(upstream);
});

test("predecessor-bug-42: nothing secret has a default", async () => {
  const secret = (await listSettings()).filter(({ name }) => /SECRET|PASS|TOKEN|KEY$/.test(name));
  expect(secret.length).toBeGreaterThan(1);
  expect(secret.filter(({ otherwise }) => otherwise !== "" && otherwise !== "required")).toEqual([]);
});

test("predecessor-bug-45: metrics are served as Prometheus reads them, on the one port", async () => {
  await using page = await serve(dashboard, {
    env: { AUDITFLOW_NOTIFICATION_URL: "http://127.0.0.1:1" },
    port: 0,
    host: "127.0.0.1",
    overrides: { log },
  });
  const response = await fetch(`${page.url}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await response.text()).toContain("auditflow_");
});

test("predecessor-bug-47: SIGTERM ends a function in order, with 0", async () => {
  const port = await freePort();
  const child = spawn(process.execPath, ["functions/main.ts"], {
    env: {
      PATH: process.env["PATH"],
      FUNCTION_TARGET: "dashboard",
      PORT: String(port),
      LOG_LEVEL: "error",
      AUDITFLOW_HOST: "127.0.0.1",
      AUDITFLOW_NOTIFICATION_URL: "http://127.0.0.1:1",
    },
    stdio: "inherit",
  });
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200), {
    timeout: 30_000,
    interval: 50,
  });
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

test("predecessor-bug-51: no test is left under a name that no runner picks up", () => {
  const exclude = ["**/node_modules/**"];
  const named = globSync("{cli,events,functions,runtime,test}/**/*test*", { withFileTypes: true, exclude })
    .filter((entry) => entry.isFile() && /\btest/.test(entry.name))
    .map(({ name }) => name);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !/\.(test|testing)\.ts$|^test-rig\.ts$/.test(name))).toEqual([]);
});

test("predecessor-bug-53: no manifest holds a credential", () => {
  const manifests = globSync("knative/**/*.yaml");
  expect(manifests.length).toBeGreaterThan(3);
  const suspicious = /(password|secret|token)\s*:\s*["']?[\w+/=-]{6,}|amqp:\/\/[^\s@/]+:[^\s@/]+@/i;
  expect(manifests.filter((file) => suspicious.test(readFileSync(file, "utf8")))).toEqual([]);
});
