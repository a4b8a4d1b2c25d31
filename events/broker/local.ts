import type { BrokerObserver } from "./broker.ts";
import type { ProfileName } from "./profile.ts";

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
  status(): { readonly up: boolean; readonly reason?: string };
}

/** Opens the ingress, the queues and one dispatcher per Trigger of the manifests. */
export async function openLocalBroker(_options: LocalBrokerOptions): Promise<LocalBroker> {
  throw new Error("The local broker is not built yet.");
}
