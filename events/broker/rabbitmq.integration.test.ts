import { once } from "node:events";
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from "node:net";

import { connect } from "amqplib";
import { describe } from "vitest";

import { rabbitmq } from "../../test/support/servers.ts";
import { brokerConformance } from "./broker.conformance.ts";
import type { Adapter } from "./conformance/stack.conformance.ts";
import { deleteTopology, openRabbitmqBroker } from "./rabbitmq.ts";
import type { Topology } from "./topology.ts";

describe.skipIf(!rabbitmq.reachable)("RabbitMQ", () => {
  brokerConformance("RabbitMQ", openAdapter);
});

/** RabbitMQ behind a proxy whose connections can be cut. */
async function openAdapter(): Promise<Adapter> {
  const sockets = new Set<Socket>();
  const target = new URL(rabbitmq.url);
  const proxy = createServer((client) => {
    const server = connectSocket(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const url = new URL(rabbitmq.url);
  url.port = String((proxy.address() as AddressInfo).port);
  const topologies: Topology[] = [];

  return {
    async open(topology) {
      topologies.push(topology);
      const { promise, resolve } = Promise.withResolvers<void>();
      const up = new Set<string>();
      const broker = openRabbitmqBroker({
        url: url.href,
        topology,
        observer: {
          onConnection: (connection, isUp) => {
            if (isUp) up.add(connection);
            if (up.size === 2) resolve();
          },
        },
      });
      await promise;
      return broker;
    },
    disconnect: () => sockets.forEach((socket) => socket.destroy()),
    async deleteExchange(exchange) {
      const connection = await connect(rabbitmq.url);
      const channel = await connection.createChannel();
      await channel.deleteExchange(exchange);
      await connection.close();
    },
    async [Symbol.asyncDispose]() {
      for (const topology of topologies) await deleteTopology(rabbitmq.url, topology);
      proxy.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
