import { subscribe } from "node:diagnostics_channel";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";

import { http } from "@google-cloud/functions-framework";

import { DisconnectedError, readBody, type ReceivedBody } from "./body.ts";
import type { Environment } from "./config.ts";
import { drain, trackSockets } from "./drain.ts";
import { processEdges } from "./edges.ts";
import type { FunctionDefinition } from "./function.ts";
import { type Host, openHost } from "./host.ts";
import { refuseConnection } from "./refuse-connection.ts";
import { maxKeptBytes } from "./rejected.ts";

export interface FrameworkOptions {
  readonly env: Environment;
  /** The one this process runs, when that is known before the first request: it is started at once. */
  readonly target?: string | undefined;
  /** Ends the process: with 0 after a drain, with an error when the function cannot start. */
  readonly exit: (error?: unknown) => void;
}

/**
 * Registers every target with functions-framework, so that its own command line, or any host of its
 * contract, runs it unchanged and with the answers of `serve`.
 *
 * Two things the framework does would lose events on a Knative RabbitMQ broker and are kept from it. It
 * answers 400 to JSON that it cannot parse, before it calls the function, and buffers up to 1 GiB: bodies
 * are read here first, with our limit, and its parsers pass over a request whose body is consumed. On
 * SIGTERM it breaks off what is in flight: its listeners are replaced by a drain.
 */
export function registerTargets(
  targets: Readonly<Record<string, () => Promise<FunctionDefinition>>>,
  options: FrameworkOptions,
): void {
  const { env, target, exit } = options;
  const bodies = new WeakMap<IncomingMessage, ReceivedBody>();
  let started: Promise<Host> | undefined;
  const start = (load: () => Promise<FunctionDefinition>): Promise<Host> =>
    (started ??= load().then((definition) =>
      openHost(definition, { env, edges: processEdges, listens: "everywhere" }),
    ));
  const close = interceptServer(bodies, () => started);
  replaceSignals(async () => {
    try {
      await close();
      exit();
    } catch (error) {
      exit(error);
    }
  });
  for (const [name, load] of Object.entries(targets)) {
    http(name, async (request, response) => {
      const host = await start(load);
      await host.respond(request, response, bodies.get(request));
    });
  }
  const load = target !== undefined && Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (load) start(load).catch(exit);
}

/**
 * Puts a listener of ours before the framework's as soon as its server listens. Answers with what drains
 * that server and disposes the function.
 */
function interceptServer(
  bodies: WeakMap<IncomingMessage, ReceivedBody>,
  started: () => Promise<Host> | undefined,
): () => Promise<void> {
  // A function that cannot start has told so by itself.
  const whenStarted = (use: (host: Host) => void): void => void started()?.then(use, () => {});
  let drainServer: ((host: Host | undefined) => Promise<void>) | undefined;
  subscribe("tracing:net.server.listen:asyncStart", (message) => {
    const server =
      typeof message === "object" && message !== null && "server" in message ? message.server : undefined;
    if (drainServer || !(server instanceof Server)) return;
    const sockets = trackSockets(server);
    readBodiesFirst(server, bodies, () => {
      whenStarted(({ metrics }) => metrics.eventsHandled.inc({ outcome: "disconnected" }));
    });
    server.on("clientError", (error, socket) => {
      whenStarted((host) => refuseConnection(error, socket, host));
    });
    drainServer = (host) =>
      drain(server, {
        sockets,
        timeoutMs: host?.config.AUDITFLOW_DRAIN_TIMEOUT_MS ?? 0,
        abort: () => host?.abort(),
      });
  });
  return async () => {
    const host = await started()?.catch(() => undefined);
    host?.drain();
    await drainServer?.(host);
    await host?.[Symbol.asyncDispose]();
  };
}

/** The framework's listeners get to see a request once its body is read, or its excess discarded. */
function readBodiesFirst(
  server: Server,
  bodies: WeakMap<IncomingMessage, ReceivedBody>,
  onDisconnect: () => void,
): void {
  const listeners = server.listeners("request");
  server.removeAllListeners("request");
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await receive(request);
    if (body === undefined) {
      response.destroy();
      return onDisconnect();
    }
    bodies.set(request, body);
    for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => void pass(request, response));
}

/** The body, once nothing of the request is left to read; undefined when the client went away. */
async function receive(request: IncomingMessage): Promise<ReceivedBody | undefined> {
  try {
    const body = await readBody(request, maxKeptBytes);
    if (request.readable) await consumed(request);
    return body;
  } catch {
    return undefined;
  }
}

/** Resolves when the rest of the request has been discarded. */
function consumed(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    request.once("end", resolve);
    request.once("close", () => reject(new DisconnectedError("the client went away")));
    request.resume();
  });
}

const signals = ["SIGTERM", "SIGINT"] as const;

/** Listens to the signals alone: whoever else does, now or later, is removed. The second one ends at once. */
function replaceSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const listener = () => {
    if (stopping) process.exit(130);
    stopping = true;
    void stop();
  };
  for (const signal of signals) process.on(signal, listener);
  process.on("newListener", (event, added: () => void) => {
    const signal = signals.find((name) => name === event);
    if (signal !== undefined && added !== listener) queueMicrotask(() => process.off(signal, added));
  });
}
