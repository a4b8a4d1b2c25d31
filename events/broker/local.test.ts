import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, test, vi } from "vitest";

import type { BrokerObserver } from "./broker.ts";
import { event, structured } from "./conformance/stack.conformance.ts";
import { openLocalBroker } from "./local.ts";

const manifests = new URL("../../knative/base/", import.meta.url).pathname;
const audit = event({ type: "io.auditflow.audit.recorded.v1" });
const alert = {
  "ce-specversion": "1.0",
  "ce-id": "alert",
  "ce-source": "/auditflow/analysis",
  "ce-type": "io.auditflow.alert.raised.v1",
};

interface Called {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** One server for all functions, told apart by the first part of the path. */
async function openFunctions(
  stack: AsyncDisposableStack,
  answer: (called: Called) => {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
) {
  const calls: Called[] = [];
  const server = createServer((request, response) => {
    const called = { url: request.url ?? "", headers: request.headers };
    calls.push(called);
    const { status, headers } = answer(called);
    request.resume().on("end", () => response.writeHead(status, headers).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { calls, resolve: (name: string) => `http://127.0.0.1:${port}/${name}/` };
}

describe("the local broker", () => {
  test("routes events by the manifests of the cluster, replies and dead letters included", async () => {
    await using stack = new AsyncDisposableStack();
    const { calls, resolve } = await openFunctions(stack, ({ url }) => {
      if (url === "/analysis/") return { status: 200, headers: alert };
      return { status: 204 };
    });
    const broker = stack.use(await openLocalBroker({ manifests, resolve }));
    expect((await fetch(broker.url, audit)).status).toBe(202);
    await vi.waitFor(() => expect(calls).toHaveLength(2));
    // What no header can carry is a dead letter at once.
    await fetch(broker.url, structured({ id: "2", type: alert["ce-type"], subject: "two\nlines" }));
    await vi.waitFor(() => expect(calls).toHaveLength(3));
    expect(calls.map(({ url, headers }) => [url, headers["ce-id"]])).toEqual([
      ["/analysis/", "1"],
      ["/notification/", "alert"],
      ["/notification/dead-letters", "2"],
    ]);
  });

  test("delivers to a subscriber that is only known later", async () => {
    await using stack = new AsyncDisposableStack();
    const { calls, resolve } = await openFunctions(stack, () => ({ status: 204 }));
    let known = false;
    const outcomes: string[] = [];
    const later = (name: string) => {
      if (known) return resolve(name);
      throw new Error(`${name} has not started`);
    };
    const observer: BrokerObserver = { onDelivered: ({ outcome }) => outcomes.push(outcome) };
    const broker = stack.use(await openLocalBroker({ manifests, resolve: later, observer }));
    await fetch(broker.url, audit);
    await vi.waitFor(() => expect(outcomes).toEqual(["retried"]));
    known = true;
    await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: 5000 });
  });

  test("answers 503 while RabbitMQ is away, and says when to come again", async () => {
    const away = createServer().listen(0, "127.0.0.1");
    await once(away, "listening");
    const { port } = away.address() as AddressInfo;
    await new Promise((resolve) => away.close(resolve));
    const lost = Promise.withResolvers<void>();
    await using broker = await openLocalBroker({
      manifests,
      amqpUrl: `amqp://127.0.0.1:${port}`,
      resolve: () => "http://127.0.0.1:9/",
      observer: { onConnection: (_connection, up) => (up ? undefined : lost.resolve()) },
    });
    await lost.promise;
    const response = await fetch(broker.url, audit);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(broker.status()).toMatchObject({ up: false, reason: expect.stringContaining("ECONNREFUSED") });
  });

  test("refuses a port that is taken and leaves nothing open", async () => {
    await using first = await openLocalBroker({ manifests, resolve: () => "" });
    await expect(openLocalBroker({ manifests, port: first.port, resolve: () => "" })).rejects.toThrow(
      "EADDRINUSE",
    );
  });

  test("gives up a delivery that outlasts the drain", async () => {
    await using stack = new AsyncDisposableStack();
    const outcomes: string[] = [];
    const silent = createServer();
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    stack.defer(() => {
      silent.close();
      silent.closeAllConnections();
    });
    const { port } = silent.address() as AddressInfo;
    const called = once(silent, "request");
    const broker = await openLocalBroker({
      manifests,
      resolve: () => `http://127.0.0.1:${port}`,
      drainMs: 20,
      observer: { onDelivered: ({ outcome }) => outcomes.push(outcome) },
    });
    await fetch(broker.url, audit);
    await called;
    await broker[Symbol.asyncDispose]();
    expect(outcomes).toEqual(["left"]);
  });
});
