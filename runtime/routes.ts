import type { IncomingMessage, ServerResponse } from "node:http";

import { noticeHeader } from "./access/access.ts";
import { notePeer } from "./access/address.ts";
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
import { pathOf } from "./request-target.ts";

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

/** What the adapter tells of where a request came from. */
interface Connection {
  readonly incoming: { readonly socket: { readonly remoteAddress?: string | undefined } };
}

/** Why a body is not accepted on the routes for people; `undefined` when it is. */
export function refuseBody(request: IncomingMessage, truncated: boolean): Problem | undefined {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    return {
      status: 415,
      detail: "A compressed body is not accepted: send it as it is.",
      code: "EVENT_BODY_INVALID",
      headers: { "accept-encoding": "identity" },
    };
  }
  if (!truncated) return undefined;
  return { status: 413, detail: `The body is larger than ${maxBodyBytes} bytes.`, code: "EVENT_TOO_LARGE" };
}

/** The function's own `fetch` behind Node's HTTP server; without one every route is unknown. */
export function createRoutes({ definition, running, log }: RoutesDeps): Routes {
  const { fetch } = running;
  const missing = (method: string, path: string): Problem =>
    path === "/" && running.handle ? wrongMethod(method, ["POST"]) : unknownRoute(path);
  if (!fetch) {
    return async (request, response) =>
      sendProblem(response, missing(request.method ?? "", pathOf(request.url ?? "/")));
  }
  const delivers = new Set(definition.deliveryPaths);
  const serve = async (request: Request, { incoming }: Connection): Promise<Response> => {
    // The adapter looks at the characters of Host, and only some that pass make a URL.
    if (!URL.canParse(request.url)) return toResponse({ status: 400, detail: "Invalid URL." });
    notePeer(request, incoming.socket.remoteAddress);
    const path = pathOf(request.url);
    const response = await fetch(request);
    if (delivers.has(path) && request.method === "POST") return towardsBroker(response, { path, log });
    // `POST /` never comes here when there is a handler, so that `/` is no unknown route but a wrong method.
    const unknown = response.status === 404 && (isBare(response) || (path === "/" && running.handle));
    return unknown ? withNotice(toResponse(missing(request.method, path)), response) : response;
  };
  const load = async () => {
    const { getRequestListener } = await import("@hono/node-server");
    return getRequestListener(serve, {
      hostname: "localhost",
      errorHandler: (error) => toResponse(failureOf(error, log)),
    });
  };
  // Loaded by the first request that needs it, because Node's whole `fetch` comes with it: a delivery that
  // wakes a process does not wait for that.
  let loading: ReturnType<typeof load> | undefined;
  return async (request, response, { bytes }) => {
    const listen = await (loading ??= load());
    // Where the adapter looks for a body that was already read.
    Object.assign(request, { rawBody: bytes });
    await listen(request, response);
  };
}

/** The adapter's RequestError says that the request line or Host cannot be understood. */
function failureOf(error: unknown, log: Log): Problem {
  if (error instanceof Error && error.name === "RequestError")
    return { status: 400, detail: `${error.message}.` };
  log.error({ err: error }, "request failed");
  return { status: 500, detail: "The request failed; the log says why." };
}

/** What everybody is told stays on an answer that stands in for the function's. */
function withNotice(answer: Response, { headers }: Response): Response {
  const notice = headers.get(noticeHeader);
  if (notice !== null) answer.headers.set(noticeHeader, notice);
  return answer;
}

/** A dispatcher takes most of 3xx and 4xx for success: the event would be lost in silence. */
function towardsBroker(
  response: Response,
  { path, log }: { readonly path: string; readonly log: Log },
): Response {
  if (response.status < 300 || response.status >= 500) return response;
  log.error({ path, status: response.status }, "a delivery path answered with a status a broker misreads");
  return new Response(null, { status: 500 });
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

/** What hono answers by default when it knows no such route: text for nobody. */
function isBare(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/plain") ?? true;
}
