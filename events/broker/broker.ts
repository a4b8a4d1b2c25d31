/** A context attribute as it stands in an AMQP header table. */
export type HeaderValue = string | number | boolean;

/**
 * An event as the broker carries it: the attributes under their own names (no `ce-` prefix), the media
 * type under `content-type` (empty when there is none), and the data byte for byte. The broker never
 * parses data, so it cannot change it.
 */
export interface Message {
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly body: Buffer;
}

/** What a handler is told about a message it was given. */
export interface Taken {
  /** The message was given out before and never settled: it may be what killed the process then. */
  readonly redelivered: boolean;
  /** Aborted when the message should be left for later: the consumer stops or its connection is lost. */
  readonly signal: AbortSignal;
  /** The first attempt is over and the process lives, so the message no longer is a suspect. */
  readonly survived: () => void;
}

/** `ack`: done, forget it. `leave`: not done; it stays in the queue for the next consumer. */
export type Verdict = "ack" | "leave";

/** Must not throw: what cannot be settled is left. */
export type Handler = (message: Message, taken: Taken) => Promise<Verdict>;

export interface Consumer {
  /** Takes no more messages; resolves once those in hand are settled or left. */
  stop(): Promise<void>;
}

/**
 * Exchanges, queues and at-least-once delivery: what the local broker needs of RabbitMQ. The adapters
 * agree on everything a subscriber can see (`broker.conformance.ts`).
 */
export interface Broker extends AsyncDisposable {
  /**
   * Resolves once every queue the message is routed to has it; `routed` says whether there was one.
   * Rejects with `BrokerUnavailableError` at once while that cannot be had.
   */
  publish(exchange: string, message: Message): Promise<{ readonly routed: boolean }>;
  /** Hands at most `parallelism` messages (and never more than 100) to the handler at a time. */
  consume(queue: string, parallelism: number, handler: Handler): Consumer;
  /** Whether events can be published now, and why not. */
  status(): { readonly up: boolean; readonly reason?: string };
}

/** Messages a consumer may hold unsettled; the constant of the Knative dispatcher. */
export const prefetch = 100;

/** The broker is away, blocked by an alarm or overloaded; nothing is known to be stored. */
export class BrokerUnavailableError extends Error {
  override readonly name = "BrokerUnavailableError";
}

/** What became of an event offered to the ingress. */
type PublishOutcome =
  /** Stored for at least one Trigger. */
  | "stored"
  /** Accepted, and dropped because no Trigger wants it, as on Knative. */
  | "unroutable"
  /** Not an event this broker accepts (400, 413). */
  | "refused"
  /** The broker could not store it (500, 503). */
  | "failed";

/** What became of one delivery attempt, or of the message after it. */
export type DeliveryOutcome =
  | "delivered"
  | "retried"
  | "dead-lettered"
  /** Undeliverable and without a dead letter sink, as on Knative. */
  | "dropped"
  /** Left in the queue because the broker is shutting down or lost its connection. */
  | "left";

export interface DeliveryReport {
  readonly trigger: string;
  /** Whether this was a delivery to the dead letter sink of the Trigger. */
  readonly deadLetter: boolean;
  readonly outcome: DeliveryOutcome;
  /** The subscriber's status, -1 when it did not answer. */
  readonly status: number;
  /** From 1. */
  readonly attempt: number;
  readonly message: Message;
}

/** Told what happens, for metrics and logs; must not throw. */
export interface BrokerObserver {
  readonly onPublished?: (outcome: PublishOutcome, message: Message | undefined, reason?: unknown) => void;
  readonly onDelivered?: (report: DeliveryReport) => void;
  /** A reply matches the Trigger it answers: it is delivered, and will come round again. */
  readonly onLoop?: (trigger: string, reply: Message) => void;
  /** An answer looks like an event and is none; the delivery counts as done. */
  readonly onReplyIgnored?: (trigger: string, reason: string) => void;
  readonly onConnection?: (connection: "publish" | "consume", up: boolean, reason?: unknown) => void;
}
