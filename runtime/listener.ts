import type { IncomingMessage, ServerResponse } from "node:http";

import type { Answer } from "./answer.ts";
import { readBody, type ReceivedBody } from "./body.ts";
import { type DeliveryRoute, tooLarge } from "./delivery.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Probe, ProbeAnswer } from "./probes.ts";
import { type Problem, wrongMethod } from "./problem.ts";
import { maxKeptBytes } from "./rejected.ts";
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
  readonly routes: Routes;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Sends each request where it belongs: delivery route, the runtime's own paths, the function's routes. */
export function createListener(deps: ListenerDeps): Respond {
  const { probes, delivery, handles, deliveryPaths, routes, metrics, log } = deps;

  async function deliver(request: IncomingMessage, response: ServerResponse, received?: ReceivedBody) {
    const started = performance.now();
    const { bytes, truncated } = received ?? (await readBody(request, maxKeptBytes));
    send(response, await delivery.answer({ headers: request.headers, body: bytes, truncated }));
    metrics.handleSeconds.observe((performance.now() - started) / 1000);
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

  async function probe(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    received?: ReceivedBody,
  ) {
    const known = probes.get(path) ?? {};
    const method = request.method === "HEAD" ? "GET" : request.method;
    const run = method === "GET" || method === "PUT" ? known[method] : undefined;
    if (!run) return sendProblem(response, wrongMethod(request.method ?? "", Object.keys(known)));
    const body = received ?? (await readBody(request, 0));
    const answer = refuseBody(request, body.truncated) ?? (await run(body.bytes));
    if (isProblem(answer)) sendProblem(response, answer);
    else sendProbe(response, answer);
  }

  function dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    received?: ReceivedBody,
  ): Promise<void> {
    const { method, url = "/" } = request;
    const query = url.indexOf("?");
    const path = query < 0 ? url : url.slice(0, query);
    if (handles && path === "/" && method === "POST") return deliver(request, response, received);
    if (probes.has(path)) return probe(path, request, response, received);
    if (method === "POST" && deliveryPaths.has(path)) return deliverToRoute(request, response, received);
    return serve(request, response, received);
  }

  return async (request, response, received) => {
    try {
      await dispatch(request, response, received);
    } catch (error) {
      metrics.eventsHandled.inc({ outcome: request.complete ? "failed" : "disconnected" });
      if (request.complete) log.error({ err: error, path: request.url }, "a request could not be answered");
      if (response.headersSent || response.destroyed) response.destroy();
      else response.writeHead(500, { "content-length": "0" }).end();
    }
  };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(body);
}

function sendProbe(response: ServerResponse, { status, contentType, body }: ProbeAnswer): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function isProblem(answer: ProbeAnswer | Problem): answer is Problem {
  return "detail" in answer;
}
