import type { IncomingMessage, ServerResponse } from "node:http";

import type { Answer } from "./answer.ts";
import type { Side } from "./broker-paths.ts";
import { DisconnectedError, readBody, type ReceivedBody } from "./body.ts";
import type { DeliveryRoute } from "./delivery.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Probe } from "./probes.ts";
import { createProbeHandler } from "./serve-probe.ts";
import { tooLarge } from "./refusal.ts";
import { unknownRoute } from "./problem.ts";
import { maxKeptBytes } from "./rejected.ts";
import { pathOf, queryOf } from "./request-target.ts";
import { refuseBody, type Routes, sendProblem } from "./routes.ts";

/** Answers one HTTP request; `received` is its body when somebody has already read it. Never rejects. */
export type Respond = (
  request: IncomingMessage,
  response: ServerResponse,
  received?: ReceivedBody,
) => Promise<void>;

export interface ListenerDeps {
  readonly probes: ReadonlyMap<string, Probe>;
  /** The delivery route; `handles` says whether `POST /` is one. */
  readonly delivery: DeliveryRoute;
  readonly handles: boolean;
  readonly deliveryPaths: ReadonlySet<string>;
  /** Where a request belongs; see broker-paths.ts. */
  readonly sideOf: (method: string | undefined, path: string) => Side;
  readonly routes: Routes;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Sends each request where it belongs: delivery route, the runtime's own paths, the function's routes. */
export function createListener(deps: ListenerDeps): Respond {
  const { delivery, handles, deliveryPaths, sideOf, routes, metrics, log } = deps;
  const probes = new Map([...deps.probes].map(([path, probe]) => [path, createProbeHandler(probe)]));

  // The hot path: one async function, everything else on it is a plain call.
  async function deliver(request: IncomingMessage, response: ServerResponse, received?: ReceivedBody) {
    const started = performance.now();
    try {
      const { bytes, truncated } = received ?? (await readBody(request, maxKeptBytes));
      send(response, await delivery.answer({ headers: request.headers, body: bytes, truncated }));
      metrics.handleSeconds.observe((performance.now() - started) / 1000);
    } catch (error) {
      fail(error, request, response);
    }
  }

  /** As on the function's routes, but what the runtime itself refuses is recorded. */
  async function deliverToRoute(request: IncomingMessage, response: ServerResponse, received?: ReceivedBody) {
    const body = received ?? (await readBody(request, maxKeptBytes));
    const problem = refuseBody(request, body.truncated);
    if (!problem) return routes(request, response, body);
    const message = { headers: request.headers, body: body.bytes, truncated: body.truncated };
    const rejection = body.truncated
      ? tooLarge(message)
      : { ...tooLarge(message), code: "EVENT_BODY_INVALID", detail: problem.detail };
    send(response, delivery.refuse(message, rejection));
  }

  async function serve(request: IncomingMessage, response: ServerResponse, received?: ReceivedBody) {
    const body = received ?? (await readBody(request, 0));
    const problem = refuseBody(request, body.truncated);
    if (problem) sendProblem(response, problem);
    else await routes(request, response, body);
  }

  function dispatch(path: string, ...parts: Parameters<Respond>): Promise<void> {
    const probe = probes.get(path);
    if (probe) return probe(...parts);
    const delivers = parts[0].method === "POST" && deliveryPaths.has(path);
    return delivers ? deliverToRoute(...parts) : serve(...parts);
  }

  /** The last resort; what a handler throws never comes here. */
  function fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const gone = error instanceof DisconnectedError;
    metrics.eventsHandled.inc({ outcome: gone ? "disconnected" : "failed" });
    if (!gone) log.error({ err: error, path: pathOf(request.url) }, "a request could not be answered");
    if (response.headersSent || response.destroyed) response.destroy();
    else response.writeHead(500, { "content-length": "0" }).end();
  }

  return (request, response, received) => {
    const path = pathOf(request.url);
    const found = sideOf(request.method, path);
    if (found.side === "none") return refuseUnknown(request, response);
    const isOurs = found.side === "broker" || probes.has(found.path);
    if (isOurs && isFromPage(request)) return refusePage(request, response);
    // What stands in front may compare the prefix letter by letter: only so is it one.
    const isPrefixed = found.side === "broker" && found.path !== path;
    if (isPrefixed && !isWrittenOut(request.url, path)) return refuseUnknown(request, response);
    if (found.side === "broker") {
      if (handles && found.path === "/") return deliver(request, response, received);
      // The function knows its routes without a prefix.
      request.url = found.path + queryOf(request.url);
    }
    return dispatch(found.path, request, response, received).catch((error: unknown) =>
      fail(error, request, response),
    );
  };
}

const changing: ReadonlySet<string | undefined> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * Whether a page in a browser makes a change: no broker, clock or probe names an origin, and browsers do,
 * also for a page whose own name leads to this machine.
 */
function isFromPage({ method, headers }: IncomingMessage): boolean {
  const isNamed = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  return isNamed && changing.has(method);
}

async function refusePage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const detail = "This is for brokers, clocks and operators, and a page in a browser is none.";
  sendProblem(response, { status: 403, code: "CROSS_SITE", detail });
}

/** Whether a request target has the path as it is, without escapes and detours. */
function isWrittenOut(target: string | undefined, path: string): boolean {
  return target?.split("?", 1)[0] === path;
}

/** The body is not looked at: on a path that is not there a broker must hear 404, which it repeats. */
async function refuseUnknown(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const problem = unknownRoute(pathOf(request.url));
  request.resume();
  sendProblem(response, problem);
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, headers).end(body);
}
