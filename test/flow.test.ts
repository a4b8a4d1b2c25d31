import { describe, expect, test, vi } from "vitest";

import { auditRecorded } from "../events/contracts/audit-recorded.ts";
import {
  openTestPipeline,
  spawnFunction,
  type TestPipeline,
  type TestPipelineOptions,
} from "./support/pipeline.ts";
import { rabbitmq, redis } from "./support/servers.ts";

const real = { amqpUrl: rabbitmq.url, redisUrl: redis.url };
const noServers = !rabbitmq.reachable || !redis.reachable;

describe.concurrent.each([
  { on: "embedded broker and state", options: {}, skip: false },
  { on: "RabbitMQ and Redis", options: real, skip: noServers },
  {
    on: "RabbitMQ and Redis, a process per function",
    options: { ...real, start: spawnFunction("serve") },
    skip: noServers,
  },
  {
    on: "functions-framework's own command line",
    options: { ...real, start: spawnFunction("framework") },
    skip: noServers,
  },
] satisfies readonly { on: string; options: TestPipelineOptions; skip: boolean }[])(
  "on $on",
  ({ options, skip }) => {
    test.skipIf(skip).concurrent("an audit event becomes an alert that people see", async () => {
      await using pipeline = await openTestPipeline(options);

      await sendFailedLogins(pipeline, 10);
      await pipeline.settled(10);
      expect(await pipeline.alerts()).toEqual([
        expect.objectContaining({ rule_id: "ANLY-SEC-001", count: 10 }),
      ]);

      const accepted = 10 + (await playSensitiveFileEdit(pipeline));
      await pipeline.settled(accepted);
      const edits = (await pipeline.alerts()).filter(({ rule_id }) => rule_id === "ANLY-SEC-002");
      expect(edits.map(({ resource_id }) => String(resource_id)).toSorted(byText)).toEqual(
        await editedFiles(pipeline),
      );
      expect(edits.every(({ count, severity }) => count === 1 && severity === "CRITICAL")).toBe(true);

      const shown = await fetch(`${pipeline.urlOf("dashboard")}/alerts`);
      expect(await shown.json()).toEqual(await pipeline.alerts());
      const { accepted: all, evaluated, rejected, pending } = await pipeline.ledger.counts();
      expect(all).toBe(evaluated + rejected + pending);
    });
  },
);

/** Ten wrong passwords of one user on one host, a second apart, the last one just now. */
async function sendFailedLogins(pipeline: TestPipeline, count: number): Promise<void> {
  const end = Date.now();
  for (let i = 0; i < count; i += 1) {
    const response = await fetch(`${pipeline.urlOf("generator")}/generate_event`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        event_type: "user_login",
        timestamp: new Date(end - (count - i) * 1000).toISOString(),
        user_id: "root",
        server_hostname: "edge-2",
        action_result: "FAILURE",
        details: { ip_address: "203.0.113.7" },
      }),
    });
    expect(response.status, await response.text()).toBe(202);
  }
}

/** Lets the generator play its own edit of /etc/shadow; answers how many events that took. */
async function playSensitiveFileEdit(pipeline: TestPipeline): Promise<number> {
  const generator = pipeline.urlOf("generator");
  const put = (settings: object) =>
    fetch(`${generator}/generator`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(settings),
    });
  expect(
    (await put({ on: true, events_per_second: 200, mix: { "sensitive-file-edit": 1 }, seed: 7 })).status,
  ).toBe(200);
  const before = (await pipeline.ledger.counts()).accepted;
  await vi.waitFor(
    async () => {
      await fetch(`${generator}/generator/tick`, { method: "POST" });
      const rules = (await pipeline.alerts()).map(({ rule_id }) => rule_id);
      expect(rules).toContain("ANLY-SEC-002");
    },
    { timeout: 60_000, interval: 200 },
  );
  expect((await put({ on: false })).status).toBe(200);
  return (await pipeline.ledger.counts()).accepted - before;
}

/** The sensitive files the generator says were edited, an entry for each edit. */
async function editedFiles({ ledger }: TestPipeline): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { event } of ledger.replay({ from: 0, to: Number.MAX_SAFE_INTEGER })) {
    const { success, data } = auditRecorded.data.safeParse(event.data);
    if (success && data.event_type === "file_modified") files.push(String(data.details?.["resource"]));
  }
  expect(files.length).toBeGreaterThan(0);
  return files.toSorted(byText);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
