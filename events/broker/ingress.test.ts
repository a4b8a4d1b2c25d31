import { describe, expect, test } from "vitest";

import { BrokerUnavailableError } from "./broker.ts";
import { event } from "./conformance/stack.conformance.ts";
import { createIngress } from "./ingress.ts";

const loopback = { port: 0, host: "127.0.0.1" };

describe("the ingress", () => {
  test("answers only once the event is stored", async () => {
    const stored = Promise.withResolvers<{ routed: boolean }>();
    const offered = Promise.withResolvers<void>();
    const ingress = createIngress({
      publish: () => {
        offered.resolve();
        return stored.promise;
      },
      observer: {},
    });
    await using listening = await ingress.listen(loopback);
    let answered = false;
    const response = fetch(`http://127.0.0.1:${listening.port}/`, event()).then(({ status }) => {
      answered = true;
      return status;
    });
    await offered.promise;
    // Another request goes through meanwhile, so this one had its chance.
    expect((await fetch(`http://127.0.0.1:${listening.port}/x`)).status).toBe(405);
    expect(answered).toBe(false);
    stored.resolve({ routed: true });
    expect(await response).toBe(202);
  });

  test.for([
    ["away", new BrokerUnavailableError("away"), 503],
    ["anything else", new Error("refused"), 500],
  ] as const)("answers a failure to store: %s", async ([, failure, status]) => {
    const outcomes: string[] = [];
    const ingress = createIngress({
      publish: () => Promise.reject(failure),
      observer: { onPublished: (outcome) => outcomes.push(outcome) },
    });
    await using listening = await ingress.listen(loopback);
    expect((await fetch(`http://127.0.0.1:${listening.port}/`, event())).status).toBe(status);
    expect(outcomes).toEqual(["failed"]);
  });

  test("answers what is in flight before it closes", async () => {
    const stored = Promise.withResolvers<{ routed: boolean }>();
    const offered = Promise.withResolvers<void>();
    const ingress = createIngress({
      publish: () => {
        offered.resolve();
        return stored.promise;
      },
      observer: {},
    });
    const listening = await ingress.listen(loopback);
    const response = fetch(`http://127.0.0.1:${listening.port}/`, event());
    await offered.promise;
    const closed = listening[Symbol.asyncDispose]();
    stored.resolve({ routed: true });
    expect((await response).status).toBe(202);
    await closed;
    await expect(fetch(`http://127.0.0.1:${listening.port}/`, event())).rejects.toThrow("fetch failed");
  });
});
