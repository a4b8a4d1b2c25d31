import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";
import { z } from "zod";

import { prefetch } from "../../events/broker/broker.ts";
import { nextStep, noAnswer } from "../../events/broker/delivery.ts";
import { parseManifests, type Manifests, type TriggerManifest } from "../../events/broker/manifests.ts";
import { profiles } from "../../events/broker/profile.ts";
import { planWiring } from "../../events/broker/topology.ts";
import type { FunctionDefinition } from "../../runtime/function.ts";

export interface Source {
  readonly file: string;
  readonly text: string;
}

/** What is checked: the manifests as text, and the functions they deploy. */
export interface Wired {
  readonly sources: readonly Source[];
  readonly functions: readonly Pick<
    FunctionDefinition,
    "name" | "accepts" | "emits" | "deliveryPaths" | "schedulePaths"
  >[];
}

export function readSources(folder: string): readonly Source[] {
  return globSync("**/*.yaml", { cwd: folder }).map((file) => ({
    file,
    text: readFileSync(join(folder, file), "utf8"),
  }));
}

/** RabbitMQ's consumer timeout: a message held longer is given out again, and its channel closed. */
const consumerTimeoutMs = 30 * 60_000;

/** Every way in which manifests and functions do not fit together, in words. */
export function wiringProblems(wired: Wired): readonly string[] {
  let manifests: Manifests;
  try {
    manifests = parseManifests(wired.sources.filter(({ file }) => file !== "kustomization.yaml"));
  } catch (error) {
    return [String(error)];
  }
  return [
    ...serviceProblems(wired),
    ...filterProblems(wired, manifests),
    ...manifests.triggers.flatMap((trigger) => deliveryProblems(wired, trigger)),
    ...budgetProblems(manifests),
    ...loopProblems(wired, manifests),
    ...sourceProblems(wired),
    ...kustomizationProblems(wired),
  ];
}

/** One Service per function, each running the function of its name. */
function serviceProblems(wired: Wired): readonly string[] {
  const services = documentsOf(wired, serviceSchema);
  const names = services.map(({ metadata }) => metadata.name).toSorted();
  const expected = wired.functions.map(({ name }) => name).toSorted();
  const targets = services.map(({ metadata, spec }) => {
    const environment = spec.template.spec.containers.flatMap(({ env }) => env);
    return { name: metadata.name, target: environment.find(({ name }) => name === "FUNCTION_TARGET")?.value };
  });
  return [
    ...(same(names, expected) ? [] : [`Services ${names.join(", ")}; functions ${expected.join(", ")}`]),
    ...targets.flatMap(({ name, target }) =>
      name === target ? [] : [`Service ${name} runs FUNCTION_TARGET ${String(target)}`],
    ),
  ];
}

/** A function is sent what it accepts, and nothing else. */
function filterProblems({ functions }: Wired, { triggers }: Manifests): readonly string[] {
  const unfiltered = triggers.filter(({ filter }) => !same(Object.keys(filter), ["type"]));
  return [
    ...unfiltered.map(({ name }) => `Trigger ${name} filters on something else than the type alone`),
    ...triggers
      .filter(({ subscriber }) => subscriber.uri !== undefined)
      .map(({ name }) => `Trigger ${name} does not deliver to POST /`),
    ...functions.flatMap(({ name, accepts }) => {
      const sent = typesSentTo(name, triggers);
      const expected = accepts.map(({ type }) => type).toSorted();
      return same(sent, expected)
        ? []
        : [`${name} accepts [${expected.join()}] and is sent [${sent.join()}]`];
    }),
  ];
}

function typesSentTo(name: string, triggers: readonly TriggerManifest[]): readonly string[] {
  const own = triggers.filter(({ subscriber }) => subscriber.service === name);
  return own.map(({ filter }) => filter["type"] ?? "any").toSorted();
}

/** Nothing is left to inheritance, and dead letters go where the function says a broker may deliver. */
function deliveryProblems(
  { functions }: Wired,
  { name, delivery, parallelism }: TriggerManifest,
): readonly string[] {
  const parts = ["retry", "backoffPolicy", "backoffDelayMs", "timeoutMs", "deadLetterSink"] as const;
  const missing = parts.filter((part) => delivery?.[part] === undefined);
  const sink = delivery?.deadLetterSink;
  const keeper = functions.find((definition) => definition.name === sink?.service);
  const kept = sink?.uri !== undefined && keeper?.deliveryPaths?.includes(sink.uri);
  return [
    ...missing.map((part) => `Trigger ${name} leaves ${part} to inheritance`),
    ...(kept ? [] : [`Trigger ${name}: no function takes dead letters at ${sink?.service}${sink?.uri}`]),
    ...(parallelism >= 20 && parallelism <= 100 ? [] : [`Trigger ${name} has parallelism ${parallelism}`]),
  ];
}

/** The last of a full prefetch must be done with, at worst, before RabbitMQ gives it to somebody else. */
function budgetProblems(manifests: Manifests): readonly string[] {
  const { lanes } = planWiring(manifests, { profile: profiles["knative-rabbitmq"] });
  return lanes
    .filter(({ deadLetter }) => !deadLetter)
    .flatMap(({ trigger, policy, parallelism }) => {
      let worstMs = policy.timeoutMs;
      for (let attempt = 1; attempt <= policy.retry; attempt += 1) {
        const step = nextStep(noAnswer, attempt, policy);
        worstMs += policy.timeoutMs + (step.kind === "retry" ? step.afterMs : 0);
      }
      const heldMs = Math.ceil(prefetch / parallelism) * worstMs;
      return heldMs < consumerTimeoutMs ? [] : [`Trigger ${trigger} may hold an event for ${heldMs} ms`];
    });
}

/**
 * No event may give rise to one that comes back to the same Trigger, over however many functions. Records
 * of refusals are left out: such a record always is valid, so its reader never refuses it in turn.
 */
function loopProblems({ functions }: Wired, { triggers }: Manifests): readonly string[] {
  const next = (trigger: TriggerManifest) => {
    const emitted = functions.find(({ name }) => name === trigger.subscriber.service)?.emits ?? [];
    return triggers.filter(({ filter }) =>
      emitted.some(({ type }) => filter["type"] === undefined || filter["type"] === type),
    );
  };
  return triggers.flatMap((start) => {
    const seen = new Set<TriggerManifest>();
    const open = next(start);
    for (let trigger = open.pop(); trigger; trigger = open.pop()) {
      if (trigger === start) return [`events of Trigger ${start.name} come back to it`];
      if (!seen.has(trigger)) open.push(...next(trigger));
      seen.add(trigger);
    }
    return [];
  });
}

/** What emits knows the Broker's address, and schedules call a Service there is. */
function sourceProblems(wired: Wired): readonly string[] {
  const services = new Set(wired.functions.map(({ name }) => name));
  const bound = documentsOf(wired, bindingSchema).map(({ spec }) => spec.subject.name);
  const emitting = wired.functions.filter(({ emits }) => emits.length > 0);
  return [
    ...emitting
      .filter(({ name }) => !bound.includes(name))
      .map(({ name }) => `${name} emits and has no SinkBinding`),
    ...bound.filter((name) => !services.has(name)).map((name) => `a SinkBinding is for ${name}`),
    ...documentsOf(wired, pingSchema)
      .filter(({ spec }) => !services.has(spec.sink.ref.name))
      .map(({ metadata, spec }) => `PingSource ${metadata.name} calls ${spec.sink.ref.name}`),
    ...documentsOf(wired, pingSchema)
      .filter(({ spec }) => !isScheduled(wired, spec.sink))
      .map(({ metadata, spec }) => `PingSource ${metadata.name} calls ${spec.sink.ref.name}${spec.sink.uri}`),
  ];
}

function isScheduled(
  { functions }: Wired,
  { ref, uri }: z.output<typeof pingSchema>["spec"]["sink"],
): boolean {
  return functions.some(({ name, schedulePaths }) => name === ref.name && schedulePaths?.includes(uri));
}

/** A file that is not listed reaches no cluster. */
function kustomizationProblems({ sources }: Wired): readonly string[] {
  const kustomization = sources.find(({ file }) => file === "kustomization.yaml");
  const { resources } = z
    .looseObject({ resources: z.array(z.string()) })
    .parse(parseAllDocuments(kustomization?.text ?? "").map((document): unknown => document.toJS())[0]);
  return sources
    .filter(({ file }) => file !== "kustomization.yaml" && !resources.includes(file))
    .map(({ file }) => `${file} is not in kustomization.yaml`);
}

const metadata = z.looseObject({ name: z.string() });
const named = z.looseObject({ name: z.string() });

const serviceSchema = z.looseObject({
  kind: z.literal("Service"),
  metadata,
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({ env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })) }),
        ),
      }),
    }),
  }),
});
const bindingSchema = z.looseObject({
  kind: z.literal("SinkBinding"),
  spec: z.looseObject({ subject: named }),
});
const pingSchema = z.looseObject({
  kind: z.literal("PingSource"),
  metadata,
  spec: z.looseObject({ sink: z.looseObject({ ref: named, uri: z.string() }) }),
});

function documentsOf<Schema extends z.ZodType>(
  { sources }: Wired,
  schema: Schema,
): readonly z.output<Schema>[] {
  const documents = sources.flatMap(({ text }) => parseAllDocuments(text).map((one): unknown => one.toJS()));
  return documents.flatMap((document) => {
    const parsed = schema.safeParse(document);
    return parsed.success ? [parsed.data] : [];
  });
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
