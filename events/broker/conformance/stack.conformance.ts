import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

import { vi } from "vitest";

import type { Broker, BrokerObserver, Consumer, DeliveryReport, Message } from "../broker.ts";
import { createBrokerIngress, resolver, startDispatching } from "../local.ts";
import { parseManifests } from "../manifests.ts";
import { openPoster } from "../post.ts";
import { profiles, type ProfileName } from "../profile.ts";
import { planWiring, type Topology, type Wiring } from "../topology.ts";

/** An adapter under test: one server, on which brokers can be opened again and again. */
export interface Adapter extends AsyncDisposable {
  /** Ready to publish and consume when it resolves. */
  open(topology: Topology): Promise<Broker>;
  /** Breaks the connection of every broker opened so far; they recover by themselves. */
  disconnect(): void;
  deleteExchange(exchange: string): Promise<void>;
}

export type OpenAdapter = () => Promise<Adapter>;

/** What a subscriber got. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A Trigger in short: its delivery as it is written in YAML, or left out. */
export interface TriggerSketch {
  readonly name: string;
  readonly filter?: Readonly<Record<string, string>>;
  readonly subscriber?: string;
  readonly delivery?: object;
  readonly parallelism?: number;
}

export interface StackOptions {
  readonly triggers: readonly TriggerSketch[];
  readonly brokerDelivery?: object;
  readonly profile?: ProfileName;
  /** Service name -> what it answers to the nth request (from 0) it gets. */
  readonly answers?: Readonly<Record<string, (nth: number, request: Received) => Answer | Promise<Answer>>>;
  /** Wraps the broker, to plant faults. */
  readonly wrap?: (broker: Broker) => Broker;
  /** Leaves messages in their queues until `dispatch` is called. */
  readonly idle?: boolean;
}

export interface Stack {
  readonly url: string;
  readonly wiring: Wiring;
  readonly broker: Broker;
  readonly reports: readonly DeliveryReport[];
  readonly published: readonly string[];
  readonly loops: readonly string[];
  readonly ignored: readonly string[];
  /** Waits the dispatchers asked for; none takes real time. */
  readonly waits: readonly number[];
  received(service: string): readonly Received[];
  dispatch(): readonly Consumer[];
  /** Closes consumers, broker and ingress, leaving the adapter and the subscribers. */
  close(): Promise<void>;
}

/** The dead letter sink every sketch may name. */
export const deadLetterSink = { ref: { kind: "Service", name: "dead" } };

const services = ["one", "two", "three", "dead"];

let counter = 0;

/** A prefix no other test run uses. */
export function uniquePrefix(): string {
  counter += 1;
  return `test-${process.pid}-${Date.now()}-${counter}`;
}

/** Opens ingress, broker and dispatchers for a sketch, with real HTTP subscribers. */
export async function openStack(
  adapter: Adapter,
  options: StackOptions & { readonly prefix?: string },
  stack: AsyncDisposableStack,
): Promise<Stack> {
  const profile = profiles[options.profile ?? "knative-rabbitmq"];
  const manifests = parseManifests([{ file: "sketch.yaml", text: sketch(options) }]);
  const wiring = planWiring(manifests, { profile, prefix: options.prefix ?? uniquePrefix() });
  const own = stack.use(new AsyncDisposableStack());
  const subscribers = await openSubscribers(options.answers ?? {}, stack);
  const opened = own.use(await adapter.open(wiring.topology));
  const broker = options.wrap?.(opened) ?? opened;

  const reports: DeliveryReport[] = [];
  const published: string[] = [];
  const loops: string[] = [];
  const ignored: string[] = [];
  const waits: number[] = [];
  const observer: BrokerObserver = {
    onDelivered: (report) => reports.push(report),
    onPublished: (outcome) => published.push(outcome),
    onLoop: (trigger) => loops.push(trigger),
    onReplyIgnored: (_trigger, reason) => ignored.push(reason),
  };
  const poster = own.use(openPoster());
  const ingress = createBrokerIngress({ broker, wiring, observer });
  const dispatch = () => {
    const consumers = startDispatching({
      broker,
      wiring,
      ingress,
      profile,
      observer,
      post: poster.post,
      resolve: resolver((name) => subscribers.urlOf(name)),
      clock: {
        now: () => Date.parse("2026-11-21T12:00:00.000Z"),
        sleep: async (ms) => {
          waits.push(ms);
          await new Promise((resolve) => setTimeout(resolve, 1));
        },
      },
      newId: () => "id-given-by-the-broker",
    });
    own.defer(async () => {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    });
    return consumers;
  };
  if (!options.idle) dispatch();
  const listening = own.use(await ingress.listen({ port: 0, host: "127.0.0.1" }));
  return {
    url: `http://127.0.0.1:${listening.port}/`,
    wiring,
    broker,
    reports,
    published,
    loops,
    ignored,
    waits,
    received: subscribers.received,
    dispatch,
    close: () => own.disposeAsync(),
  };
}

function sketch({ triggers, brokerDelivery }: StackOptions): string {
  const documents = [
    {
      apiVersion: "eventing.knative.dev/v1",
      kind: "Broker",
      metadata: { name: "sketch" },
      spec: { delivery: brokerDelivery },
    },
    ...services.map((name) => ({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name },
    })),
    ...triggers.map((trigger) => ({
      apiVersion: "eventing.knative.dev/v1",
      kind: "Trigger",
      metadata: {
        name: trigger.name,
        annotations: { "rabbitmq.eventing.knative.dev/parallelism": String(trigger.parallelism ?? 1) },
      },
      spec: {
        broker: "sketch",
        filter: { attributes: trigger.filter ?? {} },
        subscriber: { ref: { kind: "Service", name: trigger.subscriber ?? "one" } },
        delivery: trigger.delivery,
      },
    })),
  ];
  // JSON is YAML.
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}

async function openSubscribers(
  answers: NonNullable<StackOptions["answers"]>,
  stack: AsyncDisposableStack,
): Promise<{ urlOf: (name: string) => string; received: (name: string) => readonly Received[] }> {
  const log = new Map<string, Received[]>(services.map((name) => [name, []]));
  const server = createServer((request, response) => {
    const name = (request.url ?? "/").split("/")[1] ?? "";
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { headers, rawHeaders } = request;
      const received: Received = { headers, rawHeaders, body: Buffer.concat(chunks).toString() };
      const list = log.get(name) ?? [];
      const nth = list.push(received) - 1;
      void Promise.resolve(answers[name]?.(nth, received) ?? { status: 204 }).then((answer) =>
        response.writeHead(answer.status, answer.headers).end(answer.body),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  stack.defer(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return {
    urlOf: (name) => `http://127.0.0.1:${port}/${name}`,
    received: (name) => log.get(name) ?? [],
  };
}

/** A binary-mode event; attributes override the usual ones, `undefined` leaves one out. */
export function event(
  attributes: Readonly<Record<string, string | undefined>> = {},
  body = "{}",
): RequestInit {
  const all = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/test",
    "ce-type": "test.happened",
    "content-type": "application/json",
    ...Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [
        name === "content-type" ? name : `ce-${name}`,
        value,
      ]),
    ),
  };
  const headers = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return { method: "POST", headers, body: Buffer.from(body) };
}

/** A structured-mode event. */
export function structured(members: object): RequestInit {
  const usual = { specversion: "1.0", id: "1", source: "/test", type: "test.happened" };
  return {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({ ...usual, ...members }),
  };
}

export async function send(stack: Pick<Stack, "url">, request: RequestInit = event()): Promise<number> {
  const response = await fetch(stack.url, request);
  await response.arrayBuffer();
  return response.status;
}

/** Waits until there are as many as expected, or more. */
export async function settled<T>(list: () => readonly T[], count: number): Promise<readonly T[]> {
  await vi.waitFor(
    () => {
      if (list().length < count) throw new Error(`${list().length} of ${count}`);
    },
    { timeout: 20_000, interval: 5 },
  );
  return list();
}

/** Takes the next message of a queue as it lies there. */
export async function take(broker: Broker, queue: string): Promise<Message> {
  const { promise, resolve } = Promise.withResolvers<Message>();
  const consumer = broker.consume(queue, 1, async (message) => {
    resolve(message);
    return "ack";
  });
  const message = await promise;
  await consumer.stop();
  return message;
}
