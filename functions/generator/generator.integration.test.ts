import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createHealth } from "../../runtime/health.ts";
import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { serve } from "../../runtime/serve.ts";
import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { generator } from "./function.ts";
import { openLoopbackSink } from "./test-rig.ts";

const log = pino({ level: "silent" });

let database: TestDatabase;
beforeAll(async () => void (database = await openTestDatabase()));
afterAll(() => database[Symbol.asyncDispose]());

const start = (env: Record<string, string>) =>
  serve(generator, { env, port: 0, host: "127.0.0.1", overrides: { log } });

const post = (url: string, body: unknown) =>
  fetch(`${url}/events`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

describe("the generator on PostgreSQL", () => {
  test("answers 202 for exactly the events whose rows are committed, and publishes those", async () => {
    await using sink = await openLoopbackSink();
    await using served = await start({ DATABASE_URL: database.url, K_SINK: sink.url });
    const health = createHealth(Date.now).dependency("postgres", { impairs: [] });
    await using postgres = await openPostgres({ url: database.url, name: "test", health, log });
    await using ledger = openPostgresLedger(postgres, { log });

    const requests = Array.from({ length: 60 }, (_, index) => {
      const event = {
        event_type: "user_login",
        event_id: `e-${index % 40}`,
        user_id: `u-${index % 40}\u0000`,
      };
      return post(served.url, index === 59 ? { ...event, user_id: "eve" } : event);
    });
    const statuses = (await Promise.all(requests)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(59);
    expect(statuses.filter((status) => status === 409)).toHaveLength(1);
    expect(await ledger.counts()).toMatchObject({ accepted: 40, pending: 40 });

    const audits = () => sink.received.filter(({ type }) => type.endsWith("audit.recorded.v1"));
    await expect.poll(() => new Set(audits().map(({ id }) => id)).size).toBe(40);
    const byId = new Map<string, unknown>();
    for await (const { event } of ledger.replay({ from: 0, to: Date.now() + 60_000 }))
      byId.set(event.id, event.data);
    for (const { id, data } of audits()) expect(data).toEqual(byId.get(id));
  });

  test("starts without it, lives, says what does not work, and answers 503", async () => {
    await using sink = await openLoopbackSink();
    await using served = await start({
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
      K_SINK: sink.url,
    });
    const answer = await post(served.url, { event_type: "user_login" });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
    expect(await (await fetch(`${served.url}/healthz`)).text()).toContain("accepting events");
    expect(sink.received).toEqual([]);
  });
});
