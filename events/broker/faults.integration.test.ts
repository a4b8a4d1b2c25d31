import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import {
  openRabbitmqServer,
  rabbitmqServerMissing,
  type RabbitmqServer,
} from "../../test/support/rabbitmq-server.ts";
import { event, uniquePrefix } from "./conformance/stack.conformance.ts";
import { openLocalBroker, type LocalBroker } from "./local.ts";
import { readManifests } from "./manifests.ts";
import { profiles } from "./profile.ts";
import { openRabbitmqBroker } from "./rabbitmq.ts";
import { planWiring } from "./topology.ts";

const manifests = new URL("../../knative/base/", import.meta.url).pathname;

describe.skipIf(rabbitmqServerMissing)(
  "the local broker on a RabbitMQ that fails",
  { timeout: 120_000 },
  () => {
    let server: RabbitmqServer;
    beforeAll(async () => {
      server = await openRabbitmqServer();
    }, 120_000);
    afterAll(async () => {
      await server[Symbol.asyncDispose]();
    });

    test("delivers every event it had confirmed, when RabbitMQ is killed in the middle of them", async () => {
      await using stack = new AsyncDisposableStack();
      const gate = Promise.withResolvers<void>();
      const { broker, received } = await openPipeline(server, stack, () => gate.promise);
      const confirmed = new Set<string>();
      const refused = new Set<string>();
      const sendAll = (ids: readonly string[]) =>
        Promise.all(
          ids.map(async (id) => {
            const status = await sendEvent(broker, id);
            (status === 202 ? confirmed : refused).add(id);
          }),
        );

      await declareLast(server);
      await sendAll(idsFrom(0));
      expect(confirmed.size).toBe(200);
      const during = sendAll(idsFrom(200));
      await server.kill();
      await during;
      await sendAll(idsFrom(400));
      // The fault hit: confirmed events wait undelivered, and events were refused while RabbitMQ was away.
      expect(received.size).toBeLessThan(confirmed.size);
      expect(refused.size).toBeGreaterThan(0);
      gate.resolve();
      await server.start();
      await vi.waitFor(async () => expect(await sendEvent(broker, "after")).toBe(202), waiting);
      await vi.waitFor(() => expect([...confirmed].filter((id) => !received.has(id))).toEqual([]), waiting);
      await vi.waitFor(() => expect(received).toContain("after"), waiting);
    });

    test("answers 503 at once while an alarm blocks publishing, and goes on delivering", async () => {
      await using stack = new AsyncDisposableStack();
      const gate = Promise.withResolvers<void>();
      const { broker, received } = await openPipeline(server, stack, () => gate.promise);
      for (const id of idsFrom(0)) expect(await sendEvent(broker, id)).toBe(202);

      await server.control("set_vm_memory_high_watermark", "0.000001");
      try {
        // RabbitMQ says that it is blocked only once something is published.
        await vi.waitFor(async () => expect(await sendEvent(broker, "blocked")).toBe(503), waiting);
        expect(broker.status()).toMatchObject({ up: false, reason: expect.stringContaining("blocked") });
        gate.resolve();
        await vi.waitFor(() => expect(idsFrom(0).filter((id) => !received.has(id))).toEqual([]), waiting);
      } finally {
        await server.control("set_vm_memory_high_watermark", "0.4");
      }
      await vi.waitFor(async () => expect(await sendEvent(broker, "free")).toBe(202), waiting);
      await vi.waitFor(() => expect(received).toContain("free"), waiting);
    });

    test("takes what a dead process held one at a time, and the rest in parallel", async () => {
      await using stack = new AsyncDisposableStack();
      const prefix = uniquePrefix();
      const suspects = idsFrom(0).slice(0, 30);
      const innocent = idsFrom(30).slice(0, 60);
      const queue = await fill(server, prefix, [...suspects, ...innocent]);
      await takeAndDie(server, queue, suspects.length);

      let now = 0;
      const most = { suspects: 0, innocent: 0 };
      const answer = async (id: string) => {
        now += 1;
        const kind = suspects.includes(id) ? "suspects" : "innocent";
        most[kind] = Math.max(most[kind], now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
      };
      const { received } = await openPipeline(server, stack, { prefix, answer });
      await vi.waitFor(() => expect(received.size).toBe(90), waiting);
      expect(most.suspects).toBe(1);
      expect(most.innocent).toBeGreaterThan(1);
    });

    test("has declared durable quorum queues", async () => {
      await using stack = new AsyncDisposableStack();
      const { broker } = await openPipeline(server, stack);
      const listed = await server.control("list_queues", "name", "type", "durable", "--no-table-headers");
      const lines = listed.trim().split("\n");
      for (const { name } of broker.wiring.topology.queues) {
        expect(lines).toContain(`${name}\tquorum\ttrue`);
      }
    });
  },
);

const waiting = { timeout: 60_000, interval: 50 };

function idsFrom(first: number): readonly string[] {
  return Array.from({ length: 200 }, (_, index) => String(first + index));
}

async function sendEvent({ url }: LocalBroker, id: string): Promise<number> {
  const response = await fetch(url, event({ id, type: "io.auditflow.audit.recorded.v1" }));
  await response.arrayBuffer();
  return response.status;
}

interface PipelineOptions {
  readonly prefix?: string;
  readonly answer?: (id: string) => Promise<void>;
}

/** The manifests' pipeline with one subscriber for everything; ids it answered are `received`. */
async function openPipeline(
  server: RabbitmqServer,
  stack: AsyncDisposableStack,
  options: PipelineOptions | ((id: string) => Promise<void>) = {},
) {
  const { prefix = uniquePrefix(), answer } = typeof options === "function" ? { answer: options } : options;
  const received = new Set<string>();
  const answerWith = async (id: string) => {
    await answer?.(id);
    received.add(id);
    return 204;
  };
  const subscriber = createServer((request, response) => {
    const id = String(request.headers["ce-id"]);
    request.resume();
    request.on("end", () => {
      void answerWith(id).then((status) => response.writeHead(status).end());
    });
  });
  subscriber.listen(0, "127.0.0.1");
  await once(subscriber, "listening");
  const { port } = subscriber.address() as AddressInfo;
  stack.defer(() => {
    subscriber.close();
    subscriber.closeAllConnections();
  });
  const broker = stack.use(
    await openLocalBroker({
      manifests,
      amqpUrl: server.url,
      prefix,
      drainMs: 100,
      resolve: () => `http://127.0.0.1:${port}`,
    }),
  );
  await vi.waitFor(() => expect(broker.status().up).toBe(true), waiting);
  return { broker, received };
}

/** Puts events in the queue of the Trigger `analysis` that nobody consumes yet; answers with its name. */
async function fill({ url }: RabbitmqServer, prefix: string, ids: readonly string[]): Promise<string> {
  const profile = profiles["knative-rabbitmq"];
  const { exchange, topology, lanes } = planWiring(await readManifests(manifests), { profile, prefix });
  await using broker = openRabbitmqBroker({ url, topology });
  await vi.waitFor(() => expect(broker.status().up).toBe(true), waiting);
  for (const id of ids) {
    const headers = { specversion: "1.0", id, source: "/test", type: "io.auditflow.audit.recorded.v1" };
    expect(await broker.publish(exchange, { headers, body: Buffer.alloc(0) })).toEqual({ routed: true });
  }
  return lanes.find(({ trigger }) => trigger === "analysis")?.queue ?? "";
}

/**
 * RabbitMQ 3.10 loses the quorum queue it created last when it is killed within about two seconds of
 * creating it: that queue never has a leader again. So that it is none of ours, one more is created.
 */
async function declareLast({ url }: RabbitmqServer): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue("last", { durable: true, arguments: { "x-queue-type": "quorum" } });
  await connection.close();
}

/** What a process does that crashes with messages in hand. */
async function takeAndDie({ url }: RabbitmqServer, queue: string, count: number): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.prefetch(count);
  const { promise, resolve } = Promise.withResolvers<void>();
  let taken = 0;
  await channel.consume(queue, () => {
    taken += 1;
    if (taken === count) resolve();
  });
  await promise;
  await connection.close();
}
