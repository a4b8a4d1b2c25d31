import type { IncomingMessage, ServerResponse } from "node:http";

import { getRequestListener } from "@hono/node-server";

import { maxBodyBytes, type ReceivedBody } from "./body.ts";
import type { FunctionDefinition, RunningFunction } from "./function.ts";
import type { Log } from "./log.ts";
import {
  formatProblem,
  type Problem,
  problemType,
  toResponse,
  unknownRoute,
  wrongMethod,
} from "./problem.ts";

export interface RoutesDeps {
  readonly definition: FunctionDefinition;
  readonly running: RunningFunction;
  readonly log: Log;
}

/** Serves a request on one of the function's routes; its body has been read and is within the limit. */
export type Routes = (
  request: IncomingMessage,
  response: ServerResponse,
  body: ReceivedBody,
) => Promise<void>;

/** Why a body is not accepted on the routes for people; `undefined` when it is. */
export function refuseBody(request: IncomingMessage, truncated: boolean): Problem | undefined {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    return {
      status: 415,
      detail: "A compressed body is not accepted: send it as it is.",
      headers: { "accept-encoding": "identity" },
    };
  }
  return truncated ? { status: 413, detail: `The body is larger than ${maxBodyBytes} bytes.` } : undefined;
}

/** The function's own `fetch` behind Node's HTTP server. */
export function createRoutes({ definition, running, log }: RoutesDeps): Routes {
  const { fetch } = running;
  const delivers = new Set(definition.deliveryPaths);
  const listen = getRequestListener(
    async (request) => {
      const path = pathOf(request.url);
      const response = fetch ? await fetch(request) : toResponse(unknownRoute(path));
      if (delivers.has(path) && request.method === "POST") return towardsBroker(response, path);
      return isBareNotFound(response) ? toResponse(missing(request.method, path)) : response;
    },
    {
      errorHandler: (error) => {
        log.error({ err: error }, "request failed");
        return toResponse({ status: 500, detail: "The request failed; the log says why." });
      },
    },
  );

  function missing(method: string, path: string): Problem {
    return path === "/" && running.handle ? wrongMethod(method, ["POST"]) : unknownRoute(path);
  }

  /** A dispatcher takes most of 3xx and 4xx for success: the event would be lost in silence. */
  function towardsBroker(response: Response, path: string): Response {
    if (response.status < 300 || response.status >= 500) return response;
    log.error({ path, status: response.status }, "a delivery path answered with a status a broker misreads");
    return new Response(null, { status: 500 });
  }

  return async (request, response, { bytes }) => {
    // Where the adapter looks for a body that was already read.
    Object.assign(request, { rawBody: bytes });
    await listen(request, response);
  };
}

/** Answers with a problem without going through `fetch`. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  const body = formatProblem(problem);
  response.writeHead(problem.status, {
    ...problem.headers,
    "content-type": problemType,
    "content-length": Buffer.byteLength(body),
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** The answer hono gives by default when it knows no such route. */
function isBareNotFound(response: Response): boolean {
  if (response.status !== 404) return false;
  return response.headers.get("content-type")?.startsWith("text/plain") ?? true;
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}
