import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { migrationFolders } from "./database.ts";
import { type ChaosProxy, openChaosProxy } from "./chaos-proxy.ts";
import { openPostgresServer, type TestPostgresServer } from "./postgres-server.ts";
import { openRabbitmqServer, type RabbitmqServer } from "./rabbitmq-server.ts";
import { openRedisServer, type OwnRedisServer } from "./redis-server.ts";
import type { DeliveryOutcome } from "../../events/broker/broker.ts";
import { type LocalBroker, openLocalBroker } from "../../events/broker/local.ts";
import type { Environment } from "../../runtime/config.ts";
import { createSeededRandom } from "../../runtime/failpoints.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import { openWebhookReceiver, type WebhookReceiver } from "../faults/webhook-receiver.ts";
import { type Replica, supervise } from "../faults/supervisor.ts";

export type FunctionName = "analysis" | "generator" | "notification";
export type DependencyName = "rabbitmq" | "redis" | "postgres";

export interface RigOptions {
  readonly seed: number;
  /** Analysis replicas; 2 by default. */
  readonly replicas?: number;
  /** What a function is started with besides the addresses; asked at every start. */
  readonly env?: (name: FunctionName, start: number) => Environment;
}

/** What the broker saw. */
export interface BrokerCounts {
  /** Attempts and ends of deliveries, as `<trigger> <outcome>`. */
  readonly deliveries: Record<string, number>;
  /** Connections that were had, first ones included. */
  connects: number;
  /** Events the ingress could not store. */
  refused: number;
}

/** The whole pipeline on servers of its own, each behind a proxy, each function a supervised process. */
export interface FaultRig extends AsyncDisposable {
  readonly random: () => number;
  readonly servers: {
    readonly rabbitmq: RabbitmqServer;
    readonly redis: OwnRedisServer;
    readonly postgres: TestPostgresServer;
  };
  readonly proxies: Readonly<Record<DependencyName, ChaosProxy>>;
  readonly analysis: readonly Replica[];
  readonly notification: Replica;
  readonly generator: Replica;
  readonly functions: readonly Replica[];
  readonly receiver: WebhookReceiver;
  readonly broker: LocalBroker;
  readonly counts: BrokerCounts;
  /** Emitted again by the reconciler. */
  readonly reconciled: { events: number; detections: number };
  /** Straight to the database, past the proxy. */
  readonly postgres: Postgres;
  readonly ledger: Ledger;
  /** Called whenever a delivery is about to be sent to an analysis replica; for kills in the middle. */
  onAssigned: (replica: Replica) => void;
}

export const rulesFolder = fileURLToPath(new URL("../faults/rules/", import.meta.url));
const manifests = fileURLToPath(new URL("../../knative/base", import.meta.url));
const log = createLog({ name: "faults", level: "silent" });
const reconcileEveryMs = 2000;

export async function openFaultRig(options: RigOptions): Promise<FaultRig> {
  await using opening = new AsyncDisposableStack();
  const random = createSeededRandom(options.seed);
  const servers = await openServers(opening);
  const proxies = await openProxies(opening, servers, random);
  const receiver = opening.use(await openWebhookReceiver());
  const counts: BrokerCounts = { deliveries: {}, connects: 0, refused: 0 };
  const hooks: Pick<FaultRig, "onAssigned"> = { onAssigned: () => {} };
  const running = new Map<FunctionName, readonly Replica[]>();

  const broker = opening.use(
    await openLocalBroker({
      manifests,
      amqpUrl: `amqp://127.0.0.1:${proxies.rabbitmq.port}`,
      resolve: createResolve(running, hooks),
      observer: observe(counts),
      drainMs: 2000,
    }),
  );
  const shared = environment({ servers, proxies, sink: broker.url, webhook: receiver.url });
  const start = async (name: FunctionName, size: number) => {
    const replicas = await Promise.all(
      Array.from({ length: size }, (_, index) =>
        supervise({
          name: size === 1 ? name : `${name}-${index}`,
          target: name,
          env: (start) => ({ ...shared, ...options.env?.(name, start * size + index) }),
        }),
      ),
    );
    running.set(
      name,
      replicas.map((replica) => opening.use(replica)),
    );
  };
  await Promise.all([
    start("notification", 1),
    start("analysis", options.replicas ?? 2),
    start("generator", 1),
  ]);
  const functions = [...running.values()].flat();
  await Promise.all(functions.map((replica) => replica.ready()));

  const postgres = opening.use(
    await openPostgres({ url: servers.postgres.url, name: "faults", max: 2, log }),
  );
  const analysis = running.get("analysis") ?? [];
  const reconciled = { events: 0, detections: 0 };
  opening.use(startReconciling(analysis, reconciled));
  const opened = opening.move();
  return Object.assign(hooks, {
    random,
    servers,
    proxies,
    analysis,
    notification: only(running.get("notification")),
    generator: only(running.get("generator")),
    functions,
    receiver,
    broker,
    counts,
    reconciled,
    postgres,
    ledger: openPostgresLedger(postgres, { log }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  });
}

async function openServers(opening: AsyncDisposableStack): Promise<FaultRig["servers"]> {
  const [rabbitmq, redis, postgres] = await Promise.all([
    openRabbitmqServer().then((server) => opening.use(server)),
    openRedisServer({ durable: true }).then((server) => opening.use(server)),
    openPostgresServer({ migrated: migrationFolders.length > 0 }).then((server) => opening.use(server)),
  ]);
  return { rabbitmq, redis, postgres };
}

async function openProxies(
  opening: AsyncDisposableStack,
  servers: FaultRig["servers"],
  random: () => number,
): Promise<FaultRig["proxies"]> {
  const before = async (url: string) => opening.use(await openChaosProxy(Number(new URL(url).port), random));
  return {
    rabbitmq: await before(servers.rabbitmq.url),
    redis: await before(servers.redis.url),
    postgres: await before(servers.postgres.url),
  };
}

function environment(given: {
  readonly servers: FaultRig["servers"];
  readonly proxies: FaultRig["proxies"];
  readonly sink: string;
  readonly webhook: string;
}): Environment {
  const database = new URL(given.servers.postgres.url);
  database.port = String(given.proxies.postgres.port);
  return {
    DATABASE_URL: database.href,
    REDIS_URL: `redis://127.0.0.1:${given.proxies.redis.port}`,
    K_SINK: given.sink,
    AUDITFLOW_HOST: "127.0.0.1",
    AUDITFLOW_WEBHOOK_URL: given.webhook,
    AUDITFLOW_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString("base64")}`,
    // It answers at once, so crashes after an attempt would seldom meet one of the webhook.
    AUDITFLOW_CONSOLE: "false",
    AUDITFLOW_RULES_DIR: rulesFolder,
    AUDITFLOW_RECONCILE_AFTER: "10s",
    // What is summed up depends on the order of arrival, which the oracle does not know.
    AUDITFLOW_FLOOD_LIMIT: "0",
    LOG_LEVEL: "warn",
  };
}

/** Alternates between the replicas that answer, as a Service does between ready pods. */
function createResolve(
  running: ReadonlyMap<string, readonly Replica[]>,
  hooks: Pick<FaultRig, "onAssigned">,
): (name: string) => string {
  let turn = 0;
  return (name) => {
    const ready = (running.get(name) ?? []).filter((replica) => replica.url() !== undefined);
    turn += 1;
    const replica = ready[turn % ready.length];
    const url = replica?.url();
    if (!replica || url === undefined) throw new Error(`no replica of '${name}' answers`);
    if (name === "analysis") hooks.onAssigned(replica);
    return url;
  };
}

function observe(counts: BrokerCounts) {
  return {
    onDelivered({ trigger, outcome }: { readonly trigger: string; readonly outcome: DeliveryOutcome }) {
      const name = `${trigger} ${outcome}`;
      counts.deliveries[name] = (counts.deliveries[name] ?? 0) + 1;
    },
    onPublished(outcome: string) {
      if (outcome === "failed") counts.refused += 1;
    },
    onConnection(_connection: string, up: boolean) {
      if (up) counts.connects += 1;
    },
  };
}

/** What a PingSource does on the cluster, more often. */
function startReconciling(
  replicas: readonly Replica[],
  reconciled: { events: number; detections: number },
): AsyncDisposable {
  const stopping = new AbortController();
  async function once(): Promise<void> {
    const url = replicas.map((replica) => replica.url()).find((found) => found !== undefined);
    if (url === undefined) return;
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(20_000)]);
    const answer = await fetch(`${url}/reconcile`, { method: "POST", signal });
    if (!answer.ok) return;
    const run = (await answer.json()) as typeof reconciled;
    reconciled.events += run.events;
    reconciled.detections += run.detections;
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await once().catch(() => {});
      await sleep(reconcileEveryMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

function only<T>(items: readonly T[] | undefined): T {
  const [item] = items ?? [];
  if (item === undefined) throw new Error("a function was not started");
  return item;
}
