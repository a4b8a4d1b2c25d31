import {
  prefetch,
  type Broker,
  type Consumer,
  type Handler,
  type HeaderValue,
  type Message,
} from "./broker.ts";
import { admits } from "./filter.ts";
import type { Topology } from "./topology.ts";

interface Entry {
  readonly message: Message;
  /** Position in its queue; a message that returns goes back to where it was. */
  readonly position: number;
  readonly redelivered: boolean;
}

interface MemoryQueue {
  ready: Entry[];
  next: number;
  /** Consumers to tell that there is something to take. */
  readonly waiting: Set<() => void>;
}

/** What is queued; it outlives the broker that filled it, as queues outlive a connection. */
export type MemoryQueues = Map<string, MemoryQueue>;

export interface MemoryBroker extends Broker {
  /** What a lost connection does: all messages in hand return to their queues, to be given out again. */
  disconnect(): void;
  /** Makes publishing to it fail, as on a server where somebody removed it. */
  deleteExchange(exchange: string): void;
}

/**
 * The broker in this process: the same routing and the same at-least-once delivery as RabbitMQ, without
 * timers or clock, so that a simulation can drive it. Everything happens in microtasks.
 */
export function openMemoryBroker(topology: Topology, queues: MemoryQueues = new Map()): MemoryBroker {
  const exchanges = new Set(topology.exchanges);
  const consumers = new Set<MemoryConsumer>();
  for (const { name } of topology.queues) queueOf(name);

  function queueOf(name: string): MemoryQueue {
    const queue = queues.get(name) ?? { ready: [], next: 0, waiting: new Set() };
    queues.set(name, queue);
    return queue;
  }

  function route(exchange: string, headers: Readonly<Record<string, HeaderValue>>): ReadonlySet<string> {
    if (!exchanges.has(exchange)) throw new Error(`there is no exchange '${exchange}'`);
    const admitting = topology.bindings.filter(
      (binding) => binding.exchange === exchange && admits(binding.arguments, headers),
    );
    return new Set(admitting.map((binding) => binding.queue));
  }

  return {
    async publish(exchange, message) {
      const routes = route(exchange, message.headers);
      for (const name of routes) {
        const queue = queueOf(name);
        queue.ready.push({ message, position: queue.next, redelivered: false });
        queue.next += 1;
        for (const take of queue.waiting) queueMicrotask(take);
      }
      return { routed: routes.size > 0 };
    },
    consume(queue, parallelism, handler) {
      const consumer = startConsumer(queueOf(queue), Math.min(parallelism, prefetch), handler);
      consumers.add(consumer);
      return consumer;
    },
    status: () => ({ up: true }),
    disconnect: () => {
      for (const consumer of consumers) consumer.disconnect();
    },
    deleteExchange: (exchange) => {
      exchanges.delete(exchange);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
    },
  };
}

interface MemoryConsumer extends Consumer {
  disconnect(): void;
}

function startConsumer(queue: MemoryQueue, limit: number, handler: Handler): MemoryConsumer {
  const hand = new Set<Entry>();
  const running = new Set<Promise<void>>();
  let connection = new AbortController();
  let stopped = false;

  function take() {
    for (;;) {
      const entry = !stopped && hand.size < limit ? queue.ready.shift() : undefined;
      if (!entry) return;
      hand.add(entry);
      const run = handle(entry).finally(() => running.delete(run));
      running.add(run);
    }
  }

  async function handle(entry: Entry) {
    const { signal } = connection;
    const verdict = await handler(entry.message, {
      redelivered: entry.redelivered,
      signal,
      survived: () => {},
    });
    // A message that is left stays in hand, as one that is not acknowledged; and whatever a handler
    // says after its connection was lost comes too late.
    if (verdict === "ack" && hand.delete(entry)) queueMicrotask(take);
  }

  function giveBack() {
    const returned = [...hand].map((entry) => ({ ...entry, redelivered: true }));
    hand.clear();
    queue.ready = [...returned, ...queue.ready].toSorted((a, b) => a.position - b.position);
    for (const other of queue.waiting) queueMicrotask(other);
  }

  queue.waiting.add(take);
  queueMicrotask(take);
  return {
    async stop() {
      stopped = true;
      queue.waiting.delete(take);
      connection.abort();
      await Promise.all(running);
      giveBack();
    },
    disconnect() {
      if (stopped) return;
      const lost = connection;
      connection = new AbortController();
      giveBack();
      lost.abort();
    },
  };
}
