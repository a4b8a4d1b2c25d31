import { createSink } from "../events/sink.ts";
import type { Environment } from "./config.ts";
import { parseConfigs } from "./config.ts";
import { createDeliveryRoute } from "./delivery.ts";
import type { Edges } from "./edges.ts";
import { UnavailableError } from "./failure.ts";
import type { FunctionDefinition, FunctionHost, RunningFunction, Sink } from "./function.ts";
import { createHealth, type Health } from "./health.ts";
import { createBrokerPaths } from "./broker-paths.ts";
import { isExposed } from "./exposure.ts";
import { type HostConfig, hostConfig } from "./host-config.ts";
import { createListener, type Respond } from "./listener.ts";
import { createLog, type Log } from "./log.ts";
import { watchLogLevel } from "./log-level-file.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createProbes } from "./probes.ts";
import { collectProcessMetrics } from "./process-metrics.ts";
import { createRoutes } from "./routes.ts";

/** What a caller may put in place of the runtime's own; tests use it. */
export type Overrides = Partial<Pick<FunctionHost<unknown>, "now" | "random" | "newId" | "sink" | "log">>;

export interface HostOptions {
  readonly env: Environment;
  readonly edges: Edges;
  readonly overrides?: Overrides | undefined;
  /**
   * Where whoever owns the listener listens: `configured` is AUDITFLOW_HOST, `everywhere` all addresses
   * whatever that says; anything else is an address or name.
   */
  readonly listens: "configured" | "everywhere" | { readonly host: string };
  /** Of the program, for `/healthz` and the build_info metric. */
  readonly version?: string | undefined;
}

/** A started function that can answer requests, whoever owns the listener. */
export interface Host extends AsyncDisposable {
  readonly respond: Respond;
  /** Where to listen; on all addresses when undefined. */
  readonly address: string | undefined;
  readonly config: HostConfig;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  /** From now on `/readyz` answers 503, and the function ends what would never end by itself. */
  readonly drain: () => void;
  /** Ends every delivery in flight with a 503. */
  readonly abort: () => void;
}

/** Starts a function. Throws ConfigError; disposes what was opened when starting fails halfway. */
export async function openHost(definition: FunctionDefinition, options: HostOptions): Promise<Host> {
  const { env, edges, overrides = {} } = options;
  const { name } = definition;
  const { host: config, own } = parseConfigs({ host: hostConfig, own: definition.config }, env);
  const log = overrides.log ?? createLog({ name, level: config.LOG_LEVEL });
  const now = overrides.now ?? edges.now;
  const health = createHealth(now);
  const address = addressOf(options.listens, config);
  const exposed = isExposed(address);
  const version = options.version ?? config.AUDITFLOW_VERSION ?? "dev";
  const metrics = openMetrics(name, { version, revision: config.K_REVISION ?? "" });
  const sink = overrides.sink ?? openSink(config, edges);

  await using opening = new AsyncDisposableStack();
  if (config.AUDITFLOW_LOG_LEVEL_FILE !== undefined) {
    opening.use(await watchLogLevel({ file: config.AUDITFLOW_LOG_LEVEL_FILE, log }));
  }
  const { random = edges.random, newId = edges.newId } = overrides;
  const given = { log, metrics, health, sink, now, random, newId, exposed };
  const running = opening.use(await definition.start({ ...given, config: own, environment: env }));
  let draining = false;
  const delivery = createDeliveryRoute({
    definition,
    handle: running.handle ?? refuseAll,
    sink,
    log,
    metrics,
    now,
    randomHex: edges.randomHex,
    timeoutMs: config.AUDITFLOW_DELIVERY_TIMEOUT_MS,
  });
  const respond = createListener({
    probes: createProbes({ name, version, log, metrics, health, isDraining: () => draining }),
    delivery,
    handles: running.handle !== undefined,
    deliveryPaths: new Set(definition.deliveryPaths),
    sideOf: createBrokerPaths({
      prefix: config.AUDITFLOW_BROKER_PATH_PREFIX,
      paths: brokerPathsOf(definition, running),
    }),
    routes: createRoutes({ definition, running, log }),
    metrics,
    log,
  });
  const opened = opening.move();
  return {
    respond,
    address,
    config,
    log,
    metrics,
    health,
    drain() {
      if (!draining) running.drain?.();
      draining = true;
    },
    abort: () => delivery.abort(new UnavailableError("process", "the process is stopping")),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What only a broker or a clock calls; `POST /` of a function without a handler is its own. */
function brokerPathsOf(definition: FunctionDefinition, { handle }: RunningFunction): ReadonlySet<string> {
  const { deliveryPaths = [], schedulePaths = [] } = definition;
  return new Set([...(handle === undefined ? [] : ["/"]), ...deliveryPaths, ...schedulePaths]);
}

function addressOf(listens: HostOptions["listens"], { AUDITFLOW_HOST }: HostConfig): string | undefined {
  if (listens === "everywhere") return undefined;
  return listens === "configured" ? AUDITFLOW_HOST : listens.host;
}

/** Stands where a function without a handler has none; nothing is routed here. */
async function refuseAll(): Promise<never> {
  throw new UnavailableError("handler", "this function handles no deliveries");
}

function openMetrics(name: string, build: { readonly version: string; readonly revision: string }): Metrics {
  const metrics = createMetrics(name);
  metrics.buildInfo.set(build, 1);
  collectProcessMetrics(metrics.registry);
  return metrics;
}

function openSink(config: HostConfig, { now, random }: Edges): Sink {
  const url = config.K_SINK;
  if (url === undefined) {
    return () =>
      Promise.reject(new UnavailableError("sink", "K_SINK is not set: there is nowhere to send events to"));
  }
  return createSink({
    url,
    overrides: config.K_CE_OVERRIDES,
    timeoutMs: config.AUDITFLOW_SINK_TIMEOUT_MS,
    attempts: config.AUDITFLOW_SINK_ATTEMPTS,
    now,
    random,
  });
}
