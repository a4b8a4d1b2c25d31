import type { Channel, ChannelModel } from "amqplib";

import type { ConnectionLife } from "./amqp-link.ts";
import { toAmqp } from "./amqp-message.ts";
import { BrokerUnavailableError, type Message } from "./broker.ts";

/** Publishes on one connection, and only publishes: an alarm that blocks it must not stop consumption. */
export interface Publisher {
  publish(exchange: string, message: Message): Promise<{ readonly routed: boolean }>;
  /** Why the server takes nothing now, if so. */
  blocked(): string | undefined;
}

interface Pending {
  routed: boolean;
  readonly resolve: (answer: { readonly routed: boolean }) => void;
  readonly reject: (reason: BrokerUnavailableError) => void;
}

/** A confirm that takes longer means a server that hangs: the connection is given up. */
const confirmTimeoutMs = 10_000;

/** More unconfirmed messages than this are refused, so that a slow server cannot fill this process. */
const maxPending = 5000;

/** A confirm channel on a fresh connection. */
export async function openPublisher(connection: ChannelModel, life: ConnectionLife): Promise<Publisher> {
  const channel = await connection.createConfirmChannel();
  const pending = new Map<string, Pending>();
  let next = 0;
  let blocked: string | undefined;

  const rejectAll = (reason: string) => {
    for (const { reject } of pending.values()) reject(new BrokerUnavailableError(reason));
    pending.clear();
  };
  connection.on("blocked", (reason) => {
    blocked = reason || "blocked";
    // What is under way may yet be stored; whoever sent it sends it again, under the same id.
    rejectAll(`RabbitMQ is blocked: ${reason}`);
  });
  connection.on("unblocked", () => {
    blocked = undefined;
  });
  life.signal.addEventListener("abort", () => rejectAll("the connection to RabbitMQ was lost"));
  watch(channel, life);
  channel.on("return", ({ properties }) => {
    const returned = pending.get(String(properties.correlationId));
    if (returned) returned.routed = false;
  });

  return {
    blocked: () => blocked,
    async publish(exchange, message) {
      if (blocked !== undefined) throw new BrokerUnavailableError(`RabbitMQ is blocked: ${blocked}`);
      if (pending.size >= maxPending)
        throw new BrokerUnavailableError("too many events wait to be confirmed");
      const tag = String((next += 1));
      const { promise, resolve, reject } = Promise.withResolvers<{ readonly routed: boolean }>();
      const entry: Pending = { routed: true, resolve, reject };
      const timer = setTimeout(() => life.fail(new Error("RabbitMQ does not confirm")), confirmTimeoutMs);
      const { body, options } = toAmqp(message);
      try {
        pending.set(tag, entry);
        // The return of a mandatory message carries only the message, so it must say which one it is.
        channel.publish(
          exchange,
          "",
          body,
          { ...options, mandatory: true, correlationId: tag },
          (refusal) => {
            if (refusal) reject(new BrokerUnavailableError("RabbitMQ refused the event", { cause: refusal }));
            else resolve({ routed: entry.routed });
          },
        );
        return await promise;
      } finally {
        clearTimeout(timer);
        pending.delete(tag);
      }
    },
  };
}

/** A channel that ends takes its connection along: everything is set up anew. */
export function watch(channel: Channel, life: ConnectionLife): void {
  channel.on("error", life.fail);
  channel.on("close", () => life.fail(new Error("the channel was closed")));
}
