import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";

import { closeTimeoutMs, within, type ConnectionLife } from "./amqp-link.ts";
import { fromAmqp } from "./amqp-message.ts";
import { watch } from "./amqp-publisher.ts";
import { prefetch, type Consumer, type Handler } from "./broker.ts";

export interface Consumption {
  readonly queue: string;
  readonly parallelism: number;
  readonly handler: Handler;
}

/**
 * Consumes one queue on one channel of a connection, until `stop` or the end of the connection.
 *
 * A message that was given out before and never settled may be what killed the process that held it, and
 * RabbitMQ counts the crash against every message in hand. With `careful` the consumer therefore takes
 * such suspects one at a time, makes room for the next as one survives its first attempt, and opens up
 * when it meets a message that is new: those that returned stand at the head of the queue.
 */
export function startConsumption(
  connection: ChannelModel,
  life: ConnectionLife,
  { queue, parallelism, handler, careful }: Consumption & { readonly careful: boolean },
): Consumer {
  const stopping = new AbortController();
  const signal = AbortSignal.any([life.signal, stopping.signal]);
  const tags: string[] = [];
  let channel: Channel | undefined;
  let room = 0;

  const workers = createWorkers({
    parallelism,
    careful,
    signal,
    handler,
    onAck: (message) => {
      if (!life.signal.aborted) channel?.ack(message);
    },
    onHeld: () => void open(1),
  });

  const setUp = async () => {
    channel = await connection.createChannel();
    // A channel that is closed on purpose must not take the connection of the other consumers along.
    watch(channel, { ...life, fail: (reason) => stopping.signal.aborted || life.fail(reason) });
    await open(careful ? 1 : prefetch);
  };

  const open = async (places: number) => {
    const more = Math.min(places, prefetch - room);
    if (!channel || more <= 0 || signal.aborted) return;
    room += more;
    try {
      await channel.prefetch(more);
      const { consumerTag } = await channel.consume(queue, receive);
      tags.push(consumerTag);
    } catch (error) {
      life.fail(error);
    }
  };

  const receive = (message: ConsumeMessage | null) => {
    // The server ended the consumer, because the queue was deleted.
    if (!message) return life.fail(new Error(`the queue ${queue} was deleted`));
    if (!message.fields.redelivered) void open(prefetch);
    workers.add(message);
  };

  // A queue without a leader does not answer for minutes, and then the server ends the connection. Until
  // then the other queues are served, and a stop must not wait for it.
  setUp().catch(life.fail);
  return {
    async stop() {
      stopping.abort();
      if (!life.signal.aborted) await within(closeTimeoutMs, cancel(channel, tags));
      await workers.idle();
      if (!life.signal.aborted) await within(closeTimeoutMs, close(channel));
    },
  };
}

interface WorkersOptions {
  readonly parallelism: number;
  readonly careful: boolean;
  readonly signal: AbortSignal;
  readonly handler: Handler;
  readonly onAck: (message: ConsumeMessage) => void;
  /** A suspect survived its first attempt and is held for another. */
  readonly onHeld: () => void;
}

/** Runs at most `parallelism` handlers, and at most one for a suspect in its first attempt. */
function createWorkers({ parallelism, careful, signal, handler, onAck, onHeld }: WorkersOptions) {
  const waiting: ConsumeMessage[] = [];
  const running = new Set<Promise<void>>();
  let suspect: ConsumeMessage | undefined;

  const isSuspect = ({ fields }: ConsumeMessage) => careful && fields.redelivered;

  const start = () => {
    while (running.size < parallelism && !signal.aborted) {
      const next = waiting.findIndex((message) => !(suspect && isSuspect(message)));
      const [message] = next < 0 ? [] : waiting.splice(next, 1);
      if (!message) return;
      if (isSuspect(message)) suspect = message;
      const run = handle(message).finally(() => {
        running.delete(run);
        start();
      });
      running.add(run);
    }
  };

  const handle = async (message: ConsumeMessage) => {
    let settled = false;
    const survived = () => {
      if (suspect !== message) return;
      suspect = undefined;
      // A settled message frees its own place; only one that is held takes up the next one's.
      setImmediate(() => {
        if (!settled) onHeld();
        start();
      });
    };
    const { redelivered } = message.fields;
    const verdict = await handler(fromAmqp(message), { redelivered, signal, survived });
    settled = true;
    survived();
    if (verdict === "ack") onAck(message);
  };

  return {
    add: (message: ConsumeMessage) => {
      waiting.push(message);
      start();
    },
    /** Resolves once nothing runs; what waits is left to the server. */
    idle: () => Promise.all(running),
  };
}

async function cancel(channel: Channel | undefined, tags: readonly string[]): Promise<void> {
  if (channel) await Promise.all(tags.map((tag) => channel.cancel(tag))).catch(() => {});
}

async function close(channel: Channel | undefined): Promise<void> {
  await channel?.close().catch(() => {});
}
