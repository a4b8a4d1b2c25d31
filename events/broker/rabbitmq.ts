import type { Channel, ChannelModel, Options } from "amqplib";
import { connect } from "amqplib";

import { startConsumption, type Consumption } from "./amqp-consumer.ts";
import { keepConnected } from "./amqp-link.ts";
import { openPublisher } from "./amqp-publisher.ts";
import { BrokerUnavailableError, type Broker, type BrokerObserver, type Consumer } from "./broker.ts";
import type { Queue, Topology } from "./topology.ts";

export interface RabbitmqOptions {
  readonly url: string;
  readonly topology: Topology;
  readonly observer?: BrokerObserver;
}

/** Crashes of whoever holds a message before RabbitMQ puts it with the dead letters; its own default. */
const deliveryLimit = 20;

interface Running {
  readonly consumption: Consumption;
  session: Consumer | undefined;
}

/**
 * The broker on a RabbitMQ server, which may be away now and later: it is connected to in the background,
 * on two connections, one to publish and one to consume. The topology is declared on each connection.
 */
export function openRabbitmqBroker({ url, topology, observer = {} }: RabbitmqOptions): Broker {
  const consumers = new Set<Running>();
  let connections = 0;

  const publishing = keepConnected({
    url,
    open: async (connection, life) => {
      await declare(connection, topology);
      return openPublisher(connection, life);
    },
    onChange: (up, reason) => observer.onConnection?.("publish", up, reason),
  });
  const consuming = keepConnected({
    url,
    open: async (connection, life) => {
      await declare(connection, topology);
      // What returns after a lost connection did not kill this process; what a fresh process finds may have.
      const careful = connections === 0;
      connections += 1;
      const start = (running: Running) => {
        running.session = startConsumption(connection, life, { ...running.consumption, careful });
      };
      consumers.forEach(start);
      return { start };
    },
    onChange: (up, reason) => observer.onConnection?.("consume", up, reason),
  });

  return {
    async publish(exchange, message) {
      const publisher = publishing.current();
      if (!publisher) throw new BrokerUnavailableError("RabbitMQ is away", { cause: publishing.reason() });
      return publisher.publish(exchange, message);
    },
    consume(queue, parallelism, handler) {
      const running: Running = { consumption: { queue, parallelism, handler }, session: undefined };
      consumers.add(running);
      consuming.current()?.start(running);
      return {
        async stop() {
          consumers.delete(running);
          await running.session?.stop();
        },
      };
    },
    status() {
      const publisher = publishing.current();
      if (!publisher) return { up: false, reason: textOf(publishing.reason()) };
      const blocked = publisher.blocked();
      return blocked === undefined ? { up: true } : { up: false, reason: `RabbitMQ is blocked: ${blocked}` };
    },
    async [Symbol.asyncDispose]() {
      await consuming[Symbol.asyncDispose]();
      await publishing[Symbol.asyncDispose]();
    },
  };
}

/** Deletes everything a topology declares, with what is still queued. */
export async function deleteTopology(url: string, topology: Topology): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const { name } of topology.queues) await channel.deleteQueue(name);
    for (const exchange of topology.exchanges) await channel.deleteExchange(exchange);
  } finally {
    await connection.close();
  }
}

async function declare(connection: ChannelModel, topology: Topology): Promise<void> {
  const channel: Channel = await connection.createChannel();
  channel.on("error", () => {}); // the declaration that failed rejects, too
  for (const exchange of topology.exchanges) {
    await channel.assertExchange(exchange, "headers", { durable: true });
  }
  for (const queue of topology.queues) await channel.assertQueue(queue.name, queueOptions(queue, topology));
  for (const { exchange, queue, arguments: table } of topology.bindings) {
    await channel.bindQueue(queue, exchange, "", table);
  }
  await channel.close();
}

/**
 * Where the Knative controller writes a policy, which AMQP cannot, the dead letter exchange is an argument
 * of the queue. What RabbitMQ itself gives up on goes there, and stays until it has arrived.
 */
function queueOptions({ deadLetterExchange }: Queue, { queueType }: Topology): Options.AssertQueue {
  const quorum = {
    "x-delivery-limit": deliveryLimit,
    "x-overflow": "reject-publish",
    "x-dead-letter-strategy": "at-least-once",
  };
  return {
    durable: true,
    arguments: {
      "x-queue-type": queueType,
      ...(deadLetterExchange && { "x-dead-letter-exchange": deadLetterExchange }),
      ...(deadLetterExchange && queueType === "quorum" && quorum),
    },
  };
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
