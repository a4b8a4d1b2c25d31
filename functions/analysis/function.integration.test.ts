import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import { encodeBinary } from "../../events/http.ts";
import { createLog } from "../../runtime/log.ts";
import type { Environment } from "../../runtime/config.ts";
import { serve } from "../../runtime/serve.ts";
import { openTestDatabase } from "../../test/support/database.ts";
import { openRedisServer, redisServerInstalled } from "../../test/support/redis-server.ts";
import { login as loginAt, testNow, testRules } from "./analysis.testing.ts";
import { analysis } from "./function.ts";

const log = createLog({ name: "analysis", level: "silent" });
let rulesDirectory: string;

const quietRules = `
title: Login
id: login
logsource: {category: authentication}
detection: {selection: {event_type: user_login}, condition: selection}
---
title: A host went quiet
id: quiet
correlation: {type: event_count, rules: [login], group-by: [server_hostname], timespan: 60s, condition: {lt: 1}}
`;

beforeAll(async () => {
  rulesDirectory = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
  await writeFile(join(rulesDirectory, "test.yml"), testRules);
  return () => rm(rulesDirectory, { recursive: true });
});

/** A failed login just now, by the real clock. */
function login(id: string, changes: Partial<AuditRecorded> = {}): Event<AuditRecorded> {
  return loginAt(id, (Date.now() - testNow) / 1000, changes);
}

async function started(env: Environment = {}) {
  const database = await openTestDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  const sent: Event[] = [];
  const sink = async (events: readonly Event[]) => void sent.push(...events);
  const served = await serve(analysis, {
    env: { DATABASE_URL: database.url, AUDITFLOW_RULES_DIR: rulesDirectory, ...env },
    port: 0,
    host: "127.0.0.1",
    overrides: { log, sink },
  });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const post = (event: Event) => {
    const { headers, body } = encodeBinary(event);
    return fetch(served.url, { method: "POST", headers, body: new Uint8Array(body) });
  };
  return { url: served.url, post, sent, stop: () => served[Symbol.asyncDispose]() };
}

/** What is not ready yet is tried again, as a broker does. */
async function delivered(post: (event: Event) => Promise<Response>, event: Event): Promise<Response> {
  let answer = await post(event);
  await expect
    .poll(
      async () => {
        if (answer.status === 503) answer = await post(event);
        return answer.status;
      },
      { timeout: 20_000 },
    )
    .not.toBe(503);
  return answer;
}

async function dependency(
  url: string,
  name: string,
): Promise<{ up: boolean; impairs: string[] } | undefined> {
  const health = (await (await fetch(`${url}/healthz`)).json()) as {
    dependencies: { name: string; up: boolean; impairs: string[] }[];
  };
  return health.dependencies.find((known) => known.name === name);
}

describe("analysis over HTTP", () => {
  test("answers the alert as the reply, and overdue events are emitted again on request", async () => {
    const { url, post, sent } = await started({ AUDITFLOW_RECONCILE_AFTER: "1ms" });
    for (const id of ["a", "b"]) expect((await delivered(post, login(id))).status).toBe(204);
    const answer = await delivered(post, login("c"));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ce-type")).toBe("io.auditflow.alert.raised.v1");
    expect(await answer.json()).toMatchObject({ alert_name: "Failed login burst", count: 3 });

    // Nobody stored the alert, so it comes again.
    await expect
      .poll(async () => (await fetch(`${url}/reconcile`, { method: "POST" })).json())
      .toEqual({ events: 0, detections: 1, timers: 0 });
    expect(sent.map(({ id }) => id)).toEqual([answer.headers.get("ce-id")]);
  });

  test("what waits for its time to pass is judged on request, also after everything was gone meanwhile", async () => {
    const directory = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "quiet.yml"), quietRules);
    const database = await openTestDatabase();
    onTestFinished(() => database[Symbol.asyncDispose]());
    const env = {
      DATABASE_URL: database.url,
      AUDITFLOW_RULES_DIR: directory,
      AUDITFLOW_LATENESS: "100ms",
      AUDITFLOW_RECONCILE_AFTER: "1h",
    };
    const before = await started(env);
    const event = loginAt("a", (Date.now() - testNow) / 1000 - 300);
    expect((await delivered(before.post, event)).status).toBe(204);
    await before.stop();

    const { url, sent } = await started(env);
    const reconcile = async () => (await fetch(`${url}/reconcile`, { method: "POST" })).json();
    // So late an event also has the minute before it judged again.
    await expect.poll(reconcile, { timeout: 10_000 }).toEqual({ events: 0, detections: 0, timers: 2 });
    expect(sent.map(({ data }) => data)).toMatchObject([{ alert_name: "A host went quiet", count: 1 }]);
    expect(await reconcile()).toEqual({ events: 0, detections: 0, timers: 0 });
  });

  test("predecessor-bug-11 a rule that is edited while it runs judges the next event", async () => {
    const directory = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "test.yml"), testRules);
    const { post } = await started({ AUDITFLOW_RULES_DIR: directory });
    for (const id of ["a", "b"]) expect((await delivered(post, login(id))).status).toBe(204);
    await writeFile(join(directory, "test.yml"), testRules.replace("gte: 3", "gte: 2"));
    // Two were enough all along: the windows of the new rule are rebuilt with what came before it.
    const answers: string[] = [];
    await expect
      .poll(
        async () => {
          const user_id = randomUUID();
          await delivered(post, login(randomUUID(), { user_id }));
          const answer = await delivered(post, login(randomUUID(), { user_id }));
          answers.push(await answer.text());
          return answer.status;
        },
        { timeout: 10_000 },
      )
      .toBe(200);
    expect(JSON.parse(answers.at(-1) ?? "")).toMatchObject({ alert_name: "Failed login burst", count: 2 });
    expect(await (await delivered(post, login("c"))).json()).toMatchObject({ count: 3 });
  });

  test("predecessor-bug-13 without Redis it starts, says so, answers 503, and loses nothing", async () => {
    const { url, post } = await started({ REDIS_URL: "redis://127.0.0.1:1" });
    const answer = await post(login("a"));
    expect(answer.status).toBe(503);
    expect(await dependency(url, "redis")).toMatchObject({ up: false, impairs: ["correlation of events"] });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const single = login("b", { event_type: "file_modified", details: { resource: "/etc/shadow" } });
    expect((await delivered(post, single)).status).toBe(200);
  });

  test.skipIf(!redisServerInstalled)(
    "predecessor-bug-13 when Redis dies and comes back, so does detection",
    async () => {
      await using redis = await openRedisServer();
      const { url, post } = await started({ REDIS_URL: redis.url, AUDITFLOW_REDIS_PREFIX: "fn:" });
      for (const id of ["a", "b"]) expect((await delivered(post, login(id))).status).toBe(204);
      await redis.kill();
      await expect.poll(async () => (await dependency(url, "redis"))?.up).toBe(false);
      expect((await post(login("c"))).status).toBe(503);
      await redis.start();
      const answer = await delivered(post, login("c"));
      expect(await answer.json()).toMatchObject({ count: 3 });
    },
  );

  test("predecessor-bug-14 data that is no object is answered with a rejection, once and for all", async () => {
    const { url } = await started();
    for (const body of ["[]", '"x"', "7", "null", "true", "{", ""]) {
      const headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": randomUUID(),
        "ce-source": "/test",
        "ce-type": "io.auditflow.audit.recorded.v1",
      };
      const answer = await fetch(url, { method: "POST", headers, body });
      const rejected = { status: answer.status, type: answer.headers.get("ce-type"), body };
      expect(rejected).toEqual({ status: 200, type: "io.auditflow.event.rejected.v1", body });
    }
  });

  test("says on /healthz which rules, state and store it stands on", async () => {
    const { url } = await started();
    await expect.poll(async () => (await dependency(url, "postgres"))?.up).toBe(true);
    expect((await dependency(url, "rules"))?.up).toBe(true);
  });

  test("without a rule it says that detection is impaired", async () => {
    const empty = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
    onTestFinished(() => rm(empty, { recursive: true }));
    const { url } = await started({ AUDITFLOW_RULES_DIR: empty });
    expect(await dependency(url, "rules")).toMatchObject({ up: false, impairs: ["detection"] });
  });
});
