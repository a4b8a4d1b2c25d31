import { createHash } from "node:crypto";

import { deriveUuid } from "../identity.ts";
import { defaultBackoffDelayMs, type DeliveryPolicy } from "./delivery.ts";
import type { BindingArguments } from "./filter.ts";
import type { DeliverySpec, Destination, Manifests, TriggerManifest } from "./manifests.ts";
import type { Profile } from "./profile.ts";

/** One exchange's way into one queue. */
interface Binding {
  readonly exchange: string;
  readonly queue: string;
  readonly arguments: BindingArguments;
}

export interface Queue {
  readonly name: string;
  /** Where RabbitMQ itself puts what it gives up on (its delivery limit), never silently nowhere. */
  readonly deadLetterExchange?: string;
}

/** Everything that must exist on the broker, under the names the Knative controller gives it. */
export interface Topology {
  readonly queueType: "quorum" | "classic";
  /** All of type `headers`, durable. */
  readonly exchanges: readonly string[];
  readonly queues: readonly Queue[];
  readonly bindings: readonly Binding[];
}

/** One queue and where its messages go: a Trigger's own, or that of its dead letters. */
export interface Lane {
  readonly trigger: string;
  readonly deadLetter: boolean;
  readonly queue: string;
  readonly destination: Destination;
  readonly parallelism: number;
  readonly policy: DeliveryPolicy;
  readonly deadLetterExchange?: string;
  /** The binding that feeds the queue; a reply that it admits would come round again. */
  readonly binding: BindingArguments;
}

export interface Wiring {
  /** The Broker's exchange, where the ingress publishes. */
  readonly exchange: string;
  readonly topology: Topology;
  readonly lanes: readonly Lane[];
}

export interface WiringOptions {
  readonly profile: Profile;
  /** Enters every derived name. */
  readonly prefix?: string | undefined;
}

/** Retries when `delivery` is written without `retry`; without any `delivery` there are none. */
const defaultRetry = 5;

/** Plans exchanges, queues, bindings and lanes for the manifests; opens nothing. */
export function planWiring(manifests: Manifests, { profile, prefix = "" }: WiringOptions): Wiring {
  const names = createNames(manifests, prefix);
  const { broker } = manifests;
  const shared = broker.delivery?.deadLetterSink && {
    exchange: names.broker("dlx"),
    queue: names.broker("dlq"),
    sink: broker.delivery.deadLetterSink,
  };
  const planned = manifests.triggers.map((trigger) =>
    planTrigger(trigger, { names, profile, brokerDelivery: broker.delivery, shared: shared?.exchange }),
  );
  const parts = shared
    ? [
        ...planned,
        planDeadLetters({ ...shared, profile, delivery: broker.delivery ?? {}, name: broker.name }),
      ]
    : planned;
  return {
    exchange: names.broker(),
    topology: {
      queueType: broker.queueType,
      exchanges: [names.broker(), ...parts.flatMap((part) => part.exchanges)],
      queues: parts.flatMap((part) => part.queues),
      bindings: parts.flatMap((part) => part.bindings),
    },
    lanes: parts.flatMap((part) => part.lanes),
  };
}

type Names = ReturnType<typeof createNames>;

interface Part {
  readonly exchanges: readonly string[];
  readonly queues: readonly Queue[];
  readonly bindings: readonly Binding[];
  readonly lanes: readonly Lane[];
}

interface TriggerContext {
  readonly names: Names;
  readonly profile: Profile;
  readonly brokerDelivery: DeliverySpec | undefined;
  /** The Broker's own dead letter exchange, if it has a dead letter sink. */
  readonly shared: string | undefined;
}

function planTrigger(trigger: TriggerManifest, context: TriggerContext): Part {
  const { names, profile } = context;
  const own = trigger.delivery?.deadLetterSink && {
    exchange: names.trigger(trigger.name, "dlx"),
    queue: names.trigger(trigger.name, "dlq"),
    sink: trigger.delivery.deadLetterSink,
  };
  // A Trigger that writes any delivery inherits none of the Broker's, its dead letter sink included.
  const deadLetterExchange = own?.exchange ?? (trigger.delivery ? undefined : context.shared);
  const delivery = trigger.delivery ?? context.brokerDelivery;
  const queue = names.queue(trigger.name);
  const binding = {
    ...filterArguments(trigger.filter, profile),
    "x-knative-trigger": trigger.name,
    "x-match": "all",
  };
  const lane: Lane = {
    trigger: trigger.name,
    deadLetter: false,
    queue,
    destination: trigger.subscriber,
    parallelism: trigger.parallelism,
    policy: policyOf(delivery, { profile, undeliverable: deadLetterExchange ? "dead-letter" : "drop" }),
    ...(deadLetterExchange && { deadLetterExchange }),
    binding,
  };
  const part: Part = {
    exchanges: [],
    queues: [{ name: queue, ...(deadLetterExchange && { deadLetterExchange }) }],
    bindings: [{ exchange: names.broker(), queue, arguments: binding }],
    lanes: [lane],
  };
  if (!own || !trigger.delivery) return part;
  const letters = planDeadLetters({
    ...own,
    profile,
    delivery: trigger.delivery,
    name: trigger.name,
    parallelism: trigger.parallelism,
  });
  return {
    exchanges: letters.exchanges,
    queues: [...part.queues, ...letters.queues],
    bindings: [...part.bindings, ...letters.bindings],
    lanes: [lane, ...letters.lanes],
  };
}

function planDeadLetters(letters: {
  readonly name: string;
  readonly exchange: string;
  readonly queue: string;
  readonly sink: Destination;
  readonly delivery: DeliverySpec;
  readonly profile: Profile;
  readonly parallelism?: number;
}): Part {
  const { exchange, queue } = letters;
  // A Trigger's dead letters come with its parallelism; the Broker's are named and go one at a time.
  const binding = {
    ...(letters.parallelism === undefined && { "x-knative-dlq": letters.name }),
    "x-match": "all",
  };
  return {
    exchanges: [exchange],
    queues: [{ name: queue }],
    bindings: [{ exchange, queue, arguments: binding }],
    lanes: [
      {
        trigger: letters.name,
        deadLetter: true,
        queue,
        destination: letters.sink,
        parallelism: letters.parallelism ?? 1,
        policy: policyOf(letters.delivery, { profile: letters.profile, undeliverable: "hold" }),
        binding,
      },
    ],
  };
}

function policyOf(
  delivery: DeliverySpec | undefined,
  given: { readonly profile: Profile; readonly undeliverable: DeliveryPolicy["undeliverable"] },
): DeliveryPolicy {
  return {
    retry: delivery?.retry ?? (delivery ? defaultRetry : 0),
    backoffPolicy: delivery?.backoffPolicy ?? "exponential",
    backoffDelayMs: delivery?.backoffDelayMs ?? defaultBackoffDelayMs,
    timeoutMs: delivery?.timeoutMs ?? 0,
    refusal: given.profile.refusal,
    undeliverable: given.undeliverable,
  };
}

function filterArguments(filter: Readonly<Record<string, string>>, profile: Profile): BindingArguments {
  if (!profile.emptyFilterAdmitsAny) return filter;
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, value === "" ? null : value]),
  );
}

/**
 * Names as the Knative controller builds them. A cluster's objects have random UIDs; ours are derived
 * from the names, so that a restart finds the queues it left.
 */
function createNames({ namespace, broker }: Manifests, prefix: string) {
  const brokerUid = deriveUuid("broker", prefix, namespace, broker.name);
  return {
    broker: (kind?: "dlx" | "dlq") =>
      childName(`b.${namespace}.${broker.name}.${kind ? `${kind}.` : ""}`, brokerUid),
    trigger: (name: string, kind: "dlx" | "dlq") =>
      childName(`t.${namespace}.${name}.${kind}.`, deriveUuid("trigger", prefix, namespace, name)),
    queue: (name: string) => `${namespace}.${name}.${brokerUid}`,
  };
}

const longestName = 63;
const hashLength = 32;

/** `kmeta.ChildName` for a UID: parent and UID where they fit 63 characters, else a hash of both. */
export function childName(parent: string, uid: string): string {
  if (parent.length + uid.length <= longestName) return parent + uid;
  const hash = createHash("md5")
    .update(parent + uid)
    .digest("hex");
  return parent.slice(0, longestName - hashLength) + hash;
}
