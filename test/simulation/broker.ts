import type { Post } from "../../events/broker/attempt.ts";
import { BrokerUnavailableError, type Broker, type Message } from "../../events/broker/broker.ts";
import { isSuccess } from "../../events/broker/delivery.ts";
import { createBrokerIngress, resolver, startDispatching } from "../../events/broker/local.ts";
import { type MemoryQueues, openMemoryBroker } from "../../events/broker/memory.ts";
import { type HttpContent, readDraft, toMessage } from "../../events/broker/message.ts";
import { profiles } from "../../events/broker/profile.ts";
import type { Wiring } from "../../events/broker/topology.ts";
import type { Event } from "../../events/event.ts";
import { encodeBinary } from "../../events/http.ts";
import { SinkError, waitMs } from "../../events/sink.ts";
import type { Sink } from "../../runtime/function.ts";
import type { World } from "./database.ts";
import type { Subscriber } from "./functions.ts";
import type { Network, Service } from "./network.ts";
import type { Plants } from "./plants.ts";

/** `POST /` of the broker's ingress: answers with the status. */
export type Accept = (content: HttpContent) => Promise<number>;

export interface RunningBroker {
  readonly accept: Accept;
  /** All messages in hand are given out again, as after a lost connection. */
  disconnect(): void;
  /** Ends what is in hand and takes no more. */
  drain(): Promise<void>;
  /** What those of a killed process become: nobody's, and given out again by whoever opens the queues next. */
  abandon(): void;
}

/** What the broker took and what became of it, for whoever judges at the end. */
export interface Bookkeeping {
  readonly published: Set<Message>;
  readonly delivered: Set<Message>;
}

export interface BrokerDeps {
  readonly world: World;
  readonly network: Network;
  readonly subscribers: ReadonlyMap<string, Service<Subscriber>>;
  readonly wiring: Wiring;
  readonly books: Bookkeeping;
  readonly newId: () => string;
  readonly plants: Plants;
  readonly tally: { redelivered: number };
}

/** The local broker with its queues in memory: real routing, dispatching and delivery decisions. */
export function startBroker(deps: BrokerDeps, queues: MemoryQueues): RunningBroker {
  const { world, wiring, books, newId, plants } = deps;
  const { scheduler } = world;
  const memory = openMemoryBroker(wiring.topology, queues);
  const faulty = createFaultyBroker(deps, memory);
  const broker = plants.broker?.(faulty, { world, wiring }) ?? faulty;
  const ingress = createBrokerIngress({ broker, wiring, observer: {} });
  const consumers = startDispatching({
    broker,
    wiring,
    ingress,
    profile: profiles["knative-rabbitmq"],
    observer: {
      onDelivered({ outcome, deadLetter, message }) {
        if (outcome === "delivered" && !deadLetter) books.delivered.add(message);
      },
    },
    post: createPost(deps),
    resolve: resolver((name) => `http://${name}/`),
    clock: { now: scheduler.now, sleep: (ms, signal) => scheduler.sleep(ms, signal) },
    newId,
  });
  return {
    async accept(content) {
      const draft = readDraft(content);
      return draft ? await ingress.accept(toMessage(draft)) : 400;
    },
    disconnect: () => memory.disconnect(),
    async drain() {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
    abandon() {
      memory.disconnect();
      for (const consumer of consumers) void consumer.stop();
    },
  };
}

function createFaultyBroker({ world, wiring, books, tally }: BrokerDeps, memory: Broker): Broker {
  const { scheduler, faults } = world;
  return {
    async publish(exchange, message) {
      await scheduler.step("broker stores");
      if (faults.strikes("publish refused")) throw new BrokerUnavailableError("not stored");
      const stored = await memory.publish(exchange, message);
      if (exchange === wiring.exchange && stored.routed) books.published.add(message);
      await scheduler.step("broker confirms");
      if (faults.strikes("publish stored, then unconfirmed")) throw new BrokerUnavailableError("no confirm");
      return stored;
    },
    consume: (queue, parallelism, handler) =>
      memory.consume(queue, parallelism, (message, taken) => {
        if (taken.redelivered) tally.redelivered += 1;
        return handler(message, taken);
      }),
    status: () => memory.status(),
    [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
  };
}

function createPost({ network, subscribers }: BrokerDeps): Post {
  return async (url, request, timeoutMs) => {
    const { hostname, pathname } = new URL(url);
    const to = subscribers.get(hostname);
    if (!to) throw new Error(`There is no ${hostname}.`);
    const { status, headers, body } = await network({
      to,
      timeoutMs,
      label: `delivery to ${hostname}${pathname}`,
      use: ({ deliver }) => deliver(pathname, { headers: { ...request.headers }, body: request.body }),
    });
    return { status, headers: listed(headers), body: body ?? Buffer.alloc(0) };
  };
}

function listed(headers: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
}

const sinkAttempts = 4;
const sinkTimeoutMs = 5000;

/** What events/sink.ts does, over the simulated network. */
export function createSimulatedSink(
  { scheduler, chance }: World,
  { network, ingress }: { readonly network: Network; readonly ingress: Service<Accept> },
): Sink {
  async function send(event: Event): Promise<void> {
    const { headers, body } = encodeBinary(event);
    const content = { headers: listed(headers), body };
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await network({
        to: ingress,
        label: "publication",
        use: (accept) => accept(content),
        timeoutMs: sinkTimeoutMs,
      }).catch((error: unknown) => error as Error);
      if (typeof outcome === "number" && isSuccess(outcome)) return;
      if (attempt === sinkAttempts || outcome === 400)
        throw new SinkError("not confirmed", { attempts: attempt });
      const answer = typeof outcome === "number" ? { status: outcome, retryAfter: undefined } : outcome;
      await scheduler.sleep(waitMs(answer, attempt, { random: chance.random }));
    }
  }
  return async (events) => {
    const results = await Promise.allSettled(events.map(send));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  };
}
