import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { maxBodyBytes } from "./body.ts";
import type { Environment } from "./config.ts";
import { drain, trackSockets } from "./drain.ts";
import { processEdges } from "./edges.ts";
import type { FunctionDefinition } from "./function.ts";
import type { Health } from "./health.ts";
import { type Host, openHost, type Overrides } from "./host.ts";
import type { Metrics } from "./metrics.ts";
import { refuseConnection } from "./refuse-connection.ts";

export interface ServeOptions {
  readonly env: Environment;
  /** Instead of `PORT`; 0 asks the system for a free one. */
  readonly port?: number;
  /** Address to listen on, instead of `AUDITFLOW_HOST`; all of them when both are absent. */
  readonly host?: string;
  readonly overrides?: Overrides;
  /** Of the program, for `/healthz`; else AUDITFLOW_VERSION. */
  readonly version?: string;
}

/** A function that listens. Disposing it drains: what is in flight finishes, then everything is released. */
export interface Served extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: Health;
}

/**
 * Slower clients are cut off with a 408, which a broker tries again. Headers may be far longer than a
 * sensible event's: Node's own 431 counts as success for the dispatcher, so an event with attributes that
 * are too long has to reach us to be rejected with a record. A broker takes no more than 64 KiB of them.
 */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 256 * 1024,
} as const;

/**
 * Starts a function and serves it over HTTP. Throws ConfigError before anything is opened, and what
 * `listen` throws, such as EADDRINUSE, after everything that was opened is released again.
 */
export async function serve(definition: FunctionDefinition, options: ServeOptions): Promise<Served> {
  await using opening = new AsyncDisposableStack();
  const { env, overrides, version } = options;
  const listens = options.host === undefined ? "configured" : { host: options.host };
  const host = opening.use(
    await openHost(definition, { env, edges: processEdges, overrides, version, listens }),
  );
  const server = createServer(limits, (request, response) => void host.respond(request, response));
  server.on("checkContinue", (request, response) => answerExpectation(host, request, response));
  server.on("clientError", (error, socket) => refuseConnection(error, socket, host));
  const sockets = trackSockets(server);
  server.listen(options.port ?? host.config.PORT, host.address);
  await once(server, "listening");
  opening.defer(async () => {
    host.drain();
    await drain(server, { sockets, timeoutMs: host.config.AUDITFLOW_DRAIN_TIMEOUT_MS, abort: host.abort });
  });
  const port = portOf(server);
  host.log.info({ port }, `${definition.name} listens`);
  const opened = opening.move();
  return {
    url: `http://${urlHost(host.address)}:${port}`,
    port,
    metrics: host.metrics,
    health: host.health,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A client that asks first is not told to send what would be refused. */
function answerExpectation(host: Host, request: IncomingMessage, response: ServerResponse): void {
  if (Number(request.headers["content-length"]) > maxBodyBytes) {
    void host.respond(request, response, { bytes: Buffer.alloc(0), truncated: true });
  } else {
    response.writeContinue();
    void host.respond(request, response);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return address.port;
}

/** Where this machine reaches a server that listens on `host`. */
function urlHost(host: string | undefined): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
