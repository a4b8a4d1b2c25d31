import { describe, expect, test } from "vitest";

import { rabbitmq } from "../../test/support/servers.ts";
import { keepConnected } from "./amqp-link.ts";

describe.skipIf(!rabbitmq.reachable)("a connection to RabbitMQ", () => {
  test("is closed, and not held, when it is disposed while it is being made", async () => {
    const changes: boolean[] = [];
    const link = keepConnected({
      url: rabbitmq.url,
      open: async () => ({}),
      onChange: (up) => changes.push(up),
    });
    await link[Symbol.asyncDispose]();
    expect(link.current()).toBeUndefined();
    expect(changes).toEqual([]);
  });
});
