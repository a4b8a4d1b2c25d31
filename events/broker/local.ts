import { randomUUID } from "node:crypto";

import { pause } from "./amqp-link.ts";
import type { Clock, Post } from "./attempt.ts";
import type { Broker, BrokerObserver, Consumer } from "./broker.ts";
import { createDispatcher } from "./dispatch.ts";
import { createIngress, type Ingress } from "./ingress.ts";
import { readManifests, type Destination } from "./manifests.ts";
import { openMemoryBroker } from "./memory.ts";
import { openPoster } from "./post.ts";
import { profiles, type Profile, type ProfileName } from "./profile.ts";
import { openRabbitmqBroker } from "./rabbitmq.ts";
import { planWiring, type Wiring } from "./topology.ts";

export interface LocalBrokerOptions {
  /** Folder of Broker, Trigger and Service manifests, read recursively. */
  readonly manifests: string;
  /** RabbitMQ to use; without it queues live in this process. */
  readonly amqpUrl?: string | undefined;
  /**
   * Base URL of a subscriber named in the manifests; the `uri` of the Trigger is appended. Asked at each
   * delivery, so subscribers may start later; a throw counts as a failed attempt.
   */
  readonly resolve: (subscriber: string) => string;
  /** Port of the ingress; 0 (default) takes a free one. */
  readonly port?: number;
  readonly host?: string;
  /** Keeps exchanges and queues apart from those of others on the same RabbitMQ. */
  readonly prefix?: string;
  readonly profile?: ProfileName;
  readonly observer?: BrokerObserver;
  /** How long deliveries in hand may take on shutdown, 25 s by default. */
  readonly drainMs?: number;
}

/** The Knative broker on one machine. Disposing it drains: what is in flight ends, the rest stays queued. */
export interface LocalBroker extends AsyncDisposable {
  /** Where events are POSTed, what `K_SINK` is on a cluster. */
  readonly url: string;
  readonly port: number;
  /** Exchanges, queues and lanes as they are on the broker. */
  readonly wiring: Wiring;
  /** Whether events can be stored now, and why not. */
  status(): { readonly up: boolean; readonly reason?: string };
}

const defaultDrainMs = 25_000;

/**
 * Opens the ingress, the queues and one dispatcher per Trigger of the manifests. RabbitMQ need not be
 * there yet: the ingress answers 503 until it is. Throws `ManifestError`, or when the port is taken.
 */
export async function openLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const { observer = {}, host = "127.0.0.1", port = 0, drainMs = defaultDrainMs } = options;
  const profile = profiles[options.profile ?? "knative-rabbitmq"];
  const wiring = planWiring(await readManifests(options.manifests), { profile, prefix: options.prefix });
  const { topology } = wiring;

  await using opening = new AsyncDisposableStack();
  const poster = opening.use(openPoster());
  const broker = opening.use(
    options.amqpUrl === undefined
      ? openMemoryBroker(topology)
      : openRabbitmqBroker({ url: options.amqpUrl, topology, observer }),
  );
  const ingress = createBrokerIngress({ broker, wiring, observer });
  const consumers = startDispatching({
    broker,
    wiring,
    ingress,
    profile,
    observer,
    post: poster.post,
    resolve: resolver(options.resolve),
    clock: { now: Date.now, sleep: pause },
    newId: randomUUID,
  });
  opening.defer(() => drain(consumers, { drainMs, giveUp: () => poster[Symbol.dispose]() }));
  const listening = opening.use(await ingress.listen({ port, host }));

  const opened = opening.move();
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listening.port}/`,
    port: listening.port,
    wiring,
    status: () => broker.status(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The ingress that stores in the Broker's exchange. */
export function createBrokerIngress({
  broker,
  wiring,
  observer,
}: {
  readonly broker: Broker;
  readonly wiring: Wiring;
  readonly observer: BrokerObserver;
}): Ingress {
  return createIngress({ publish: (message) => broker.publish(wiring.exchange, message), observer });
}

export interface DispatchingOptions {
  readonly broker: Broker;
  readonly wiring: Wiring;
  readonly ingress: Pick<Ingress, "accept">;
  readonly profile: Profile;
  readonly observer: BrokerObserver;
  readonly post: Post;
  readonly resolve: (destination: Destination) => string;
  readonly clock: Clock;
  readonly newId: () => string;
}

/**
 * One dispatcher per lane. Everything that depends on time, chance or the network is given, so that a
 * simulation can run the same code.
 */
export function startDispatching(options: DispatchingOptions): readonly Consumer[] {
  const { broker, wiring, ingress, ...deps } = options;
  const dispatchDeps = {
    ...deps,
    publish: broker.publish.bind(broker),
    accept: ingress.accept,
  };
  return wiring.lanes.map((lane) =>
    broker.consume(lane.queue, lane.parallelism, createDispatcher(dispatchDeps, lane)),
  );
}

/** Where a destination of the manifests is, given the base URLs of the Services. */
export function resolver(baseOf: (subscriber: string) => string): (destination: Destination) => string {
  return ({ service, uri = "" }) => {
    if (service === undefined) return uri;
    if (URL.canParse(uri)) return uri;
    return `${baseOf(service).replace(/\/$/, "")}/${uri.replace(/^\//, "")}`;
  };
}

/** Stops taking messages; deliveries that take too long are given up and their messages stay queued. */
async function drain(
  consumers: readonly Consumer[],
  { drainMs, giveUp }: { readonly drainMs: number; readonly giveUp: () => void },
): Promise<void> {
  const timer = setTimeout(giveUp, drainMs);
  try {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  } finally {
    clearTimeout(timer);
  }
}
