import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  createHostClient,
  createSinkServer,
  envelope,
  type HostUnderTest,
  metricOf,
  send,
  type UnderTest,
} from "./host-client.testing.ts";
import { describeDeliveries } from "./host-deliveries.conformance.ts";
import { describeRejections } from "./host-rejections.conformance.ts";
import { describeRoutes } from "./host-routes.conformance.ts";
import { describeWire } from "./host-wire.conformance.ts";

export type OpenHostUnderTest = (env: Readonly<Record<string, string>>) => Promise<HostUnderTest>;

/** Every host must pass this: whoever owns the listener, a request gets the same answer. */
export function hostConformance(name: string, open: OpenHostUnderTest): void {
  describe(`${name}: what a host answers`, () => {
    const under = {} as UnderTest;
    const sink = createSinkServer();
    let host: HostUnderTest | undefined;

    beforeAll(async () => {
      host = await open({
        K_SINK: await sink.listen(),
        AUDITFLOW_DELIVERY_TIMEOUT_MS: "300",
        AUDITFLOW_SINK_ATTEMPTS: "1",
        LOG_LEVEL: "silent",
      });
      under.client = createHostClient(host, sink);
    });
    afterAll(async () => {
      await host?.[Symbol.asyncDispose]();
      await sink.close();
    });

    describeDeliveries(under);
    describeRejections(under);
    describeWire(under);
    describeRoutes(under);
  });

  describe(`${name}: what is away`, () => {
    test("a required dependency that is away makes the function not ready, and says what is impaired", async () => {
      await using host = await open({ ECHO_DEPENDENCY: "down", LOG_LEVEL: "silent" });
      expect((await send(`${host.url}/readyz`)).status).toBe(503);
      expect((await send(`${host.url}/livez`)).status).toBe(200);
      const healthz = JSON.parse((await send(`${host.url}/healthz`)).body.toString()) as unknown;
      expect(healthz).toMatchObject({ status: "impaired", impaired: ["keeping things"] });
      expect(
        metricOf(
          (await send(`${host.url}/metrics`)).body.toString(),
          'auditflow_dependency_up{dependency="store"',
        ),
      ).toBe(0);
    });

    test("without a sink, more than one event comes again", async () => {
      await using host = await open({ LOG_LEVEL: "silent" });
      const reply = await send(host.url, {
        method: "POST",
        headers: envelope,
        body: JSON.stringify({ event_type: "many" }),
      });
      expect(reply.status).toBe(503);
    });
  });
}
