import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { isNode, LineCounter, parseAllDocuments, type Document } from "yaml";
import { z } from "zod";

import { parseDuration } from "./delivery.ts";

/** Where events go: a Knative Service by name, an absolute URL, or a path on the Service. */
export interface Destination {
  readonly service?: string | undefined;
  readonly uri?: string | undefined;
}

/** `spec.delivery` of a Broker or Trigger, durations in milliseconds. */
export interface DeliverySpec {
  readonly retry?: number | undefined;
  readonly backoffPolicy?: "exponential" | "linear" | undefined;
  readonly backoffDelayMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly deadLetterSink?: Destination | undefined;
}

export interface TriggerManifest {
  readonly name: string;
  readonly broker: string;
  /** `spec.filter.attributes`; empty admits every event. */
  readonly filter: Readonly<Record<string, string>>;
  readonly subscriber: Destination;
  readonly parallelism: number;
  readonly delivery?: DeliverySpec | undefined;
  /** `file:line`, for messages. */
  readonly place: string;
}

interface BrokerManifest {
  readonly name: string;
  readonly queueType: "quorum" | "classic";
  readonly delivery?: DeliverySpec | undefined;
}

/** What a folder of manifests says about routing. */
export interface Manifests {
  readonly namespace: string;
  readonly broker: BrokerManifest;
  readonly triggers: readonly TriggerManifest[];
  /** Names of the Knative Services. */
  readonly services: readonly string[];
}

/** A manifest that cannot be used; the message names file, line and what was expected. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where manifests name no namespace, as those of `knative/base` do not. */
const defaultNamespace = "auditflow";

const attributeName = z
  .string()
  .regex(/^[a-z][a-z0-9]*$/, "an attribute name is lower-case letters and digits, a letter first");

const duration = (what: string) =>
  z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .refine((ms) => !Number.isNaN(ms), `${what} is an ISO 8601 duration such as PT0.2S`);

const destination = z
  .looseObject({
    ref: z.looseObject({ kind: z.literal("Service"), name: z.string().min(1) }).optional(),
    uri: z.string().min(1).optional(),
  })
  .refine(({ ref, uri }) => ref || uri, "a destination needs a ref or a uri")
  .refine(({ ref, uri }) => ref || URL.canParse(uri ?? ""), "a uri without a ref must be absolute")
  .transform(({ ref, uri }): Destination => ({ service: ref?.name, uri }));

/** Strict: an option that is misspelt, or that this broker ignores, would fail silently. */
const delivery = z
  .strictObject({
    retry: z.int().nonnegative().optional(),
    backoffPolicy: z.enum(["exponential", "linear"]).optional(),
    backoffDelay: duration("backoffDelay").optional(),
    timeout: duration("timeout")
      .refine((ms) => ms > 0, "timeout must be positive")
      .optional(),
    deadLetterSink: destination.optional(),
  })
  .transform(({ backoffDelay, timeout, ...rest }): DeliverySpec => ({
    ...rest,
    backoffDelayMs: backoffDelay,
    timeoutMs: timeout,
  }));

const parallelismKey = "rabbitmq.eventing.knative.dev/parallelism";

const metadata = z.looseObject({ name: z.string().min(1), namespace: z.string().optional() });

const triggerSchema = z.looseObject({
  metadata: metadata.extend({
    annotations: z
      .looseObject({
        [parallelismKey]: z
          .string("the parallelism annotation is a quoted number")
          .regex(/^([1-9]\d{0,2}|1000)$/, "parallelism is 1 to 1000")
          .optional(),
      })
      .optional(),
  }),
  spec: z.looseObject({
    broker: z.string().min(1),
    filter: z.strictObject({ attributes: z.record(attributeName, z.string()).optional() }).optional(),
    filters: z
      .never(
        "the RabbitMQ broker ignores `filters`, so the Trigger would match every event: use `filter.attributes`",
      )
      .optional(),
    subscriber: destination,
    delivery: delivery.optional(),
  }),
});

const brokerSchema = z.looseObject({
  metadata,
  spec: z
    .looseObject({
      config: z.looseObject({ kind: z.string(), name: z.string() }).optional(),
      delivery: delivery.optional(),
    })
    .prefault({}),
});

const configSchema = z.looseObject({
  metadata,
  spec: z.looseObject({ queueType: z.enum(["quorum", "classic"]).default("quorum") }),
});

const serviceSchema = z.looseObject({ metadata });

const kinds = {
  Broker: "eventing.knative.dev/v1",
  Trigger: "eventing.knative.dev/v1",
  RabbitmqBrokerConfig: "eventing.knative.dev/v1alpha1",
  Service: "serving.knative.dev/v1",
} as const;

interface Source {
  readonly file: string;
  readonly text: string;
}

interface Found {
  readonly kind: keyof typeof kinds;
  readonly content: unknown;
  /** `file:line` of the value at a path, or of its nearest parent that exists. */
  readonly place: (path: readonly PropertyKey[]) => string;
}

/** Reads every `.yaml` and `.yml` file under a folder; throws `ManifestError`. */
export async function readManifests(folder: string): Promise<Manifests> {
  const entries = await readdir(folder, { recursive: true });
  const files = entries.filter((file) => /\.ya?ml$/.test(file)).toSorted();
  const sources = await Promise.all(
    files.map(async (file) => ({
      file: join(folder, file),
      text: await readFile(join(folder, file), "utf8"),
    })),
  );
  return parseManifests(sources);
}

/**
 * The routing that manifests describe: exactly one Broker, its Triggers and the Services they name.
 * Other kinds are passed over. Throws `ManifestError` at the first thing the cluster would refuse or
 * silently ignore.
 */
export function parseManifests(sources: readonly Source[]): Manifests {
  const found = sources.flatMap(documentsOf);
  const of = (kind: keyof typeof kinds) => found.filter((document) => document.kind === kind);
  const [brokerDocument, ...others] = of("Broker");
  if (!brokerDocument || others.length > 0) {
    const count = brokerDocument ? others.length + 1 : 0;
    throw new ManifestError("MANIFEST_BROKER", `Expected exactly one Broker, found ${count}.`);
  }
  const broker = parse(brokerSchema, brokerDocument);
  const services = of("Service").map((document) => parse(serviceSchema, document).metadata.name);
  const configs = of("RabbitmqBrokerConfig").map((document) => parse(configSchema, document));
  const config = configs.find(({ metadata }) => metadata.name === broker.spec.config?.name);
  requireService(broker.spec.delivery?.deadLetterSink, services, () =>
    brokerDocument.place(["spec", "delivery", "deadLetterSink", "ref", "name"]),
  );
  const triggers = of("Trigger").map((document) => toTrigger(document, broker.metadata.name, services));
  for (const { name, place } of triggers) {
    const twin = triggers.find((other) => other.name === name && other.place !== place);
    if (twin) {
      throw new ManifestError("MANIFEST_DUPLICATE", `${place}: Trigger '${name}' is also at ${twin.place}.`);
    }
  }
  return {
    namespace: broker.metadata.namespace ?? defaultNamespace,
    broker: {
      name: broker.metadata.name,
      queueType: config?.spec.queueType ?? "quorum",
      delivery: broker.spec.delivery,
    },
    triggers,
    services,
  };
}

function toTrigger(document: Found, broker: string, services: readonly string[]): TriggerManifest {
  const { metadata, spec } = parse(triggerSchema, document);
  if (spec.broker !== broker) {
    throw new ManifestError(
      "MANIFEST_BROKER_UNKNOWN",
      `${document.place(["spec", "broker"])}: Trigger '${metadata.name}' names the Broker '${spec.broker}'; there is '${broker}'.`,
    );
  }
  requireService(spec.subscriber, services, () => document.place(["spec", "subscriber", "ref", "name"]));
  requireService(spec.delivery?.deadLetterSink, services, () =>
    document.place(["spec", "delivery", "deadLetterSink", "ref", "name"]),
  );
  return {
    name: metadata.name,
    broker: spec.broker,
    filter: spec.filter?.attributes ?? {},
    subscriber: spec.subscriber,
    parallelism: Number(metadata.annotations?.[parallelismKey] ?? 1),
    delivery: spec.delivery,
    place: document.place([]),
  };
}

function requireService(
  destination: Destination | undefined,
  services: readonly string[],
  place: () => string,
): void {
  const service = destination?.service;
  if (service === undefined || services.includes(service)) return;
  throw new ManifestError(
    "MANIFEST_SERVICE_UNKNOWN",
    `${place()}: there is no Service '${service}'; there are ${services.join(", ") || "none"}.`,
  );
}

function documentsOf({ file, text }: Source): readonly Found[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document) => {
    const [problem] = document.errors;
    if (problem) throw new ManifestError("MANIFEST_YAML", `${file}: ${problem.message}`);
    const content: unknown = document.toJS();
    const kind = kindOf(content);
    if (kind === undefined) return [];
    const place = (path: readonly PropertyKey[]) => `${file}:${lineOf(document, lines, path)}`;
    return [{ kind, content, place }];
  });
}

function kindOf(content: unknown): keyof typeof kinds | undefined {
  const head = z.looseObject({ apiVersion: z.string(), kind: z.string() }).safeParse(content);
  if (!head.success) return undefined;
  const { apiVersion, kind } = head.data;
  return Object.keys(kinds)
    .filter((name): name is keyof typeof kinds => name in kinds)
    .find((name) => name === kind && kinds[name] === apiVersion);
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function parse<Schema extends z.ZodType>(schema: Schema, document: Found): z.output<Schema> {
  const result = schema.safeParse(document.content);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) =>
      `${document.place(issue.path)}: ${document.kind} at ${issue.path.join(".")}: ${messageOf(issue)}`,
  );
  throw new ManifestError("MANIFEST_INVALID", problems.join("\n"));
}

function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key" ? issue.issues.map(({ message }) => message).join(", ") : issue.message;
}
