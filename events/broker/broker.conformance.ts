import { afterAll, beforeAll, describe } from "vitest";

import { deliveryConformance } from "./conformance/delivery.conformance.ts";
import { ingressConformance } from "./conformance/ingress.conformance.ts";
import { queueConformance } from "./conformance/queue.conformance.ts";
import { replyConformance } from "./conformance/reply.conformance.ts";
import { routingConformance } from "./conformance/routing.conformance.ts";
import type { Adapter, OpenAdapter } from "./conformance/stack.conformance.ts";

/** What every adapter of the broker must do: the observed behaviour of the Knative RabbitMQ Broker. */
export function brokerConformance(name: string, open: OpenAdapter): void {
  describe(`the broker on ${name}`, () => {
    let opened: Adapter | undefined;
    const adapter = () => {
      if (!opened) throw new Error("the adapter is not open");
      return opened;
    };
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]();
    });

    ingressConformance(adapter);
    routingConformance(adapter);
    deliveryConformance(adapter);
    replyConformance(adapter);
    queueConformance(adapter);
  });
}
