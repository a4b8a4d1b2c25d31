import { type Context, Hono, type MiddlewareHandler } from "hono";

import { announce } from "../../../runtime/access/access.ts";
import { allowedMethods } from "../../../runtime/app.ts";
import type { ApiDeps } from "./deps.ts";
import { addDocs } from "./docs.ts";
import { basePath } from "./document.ts";
import { matchesNone } from "./entity-tag.ts";
import { operations } from "./operations.ts";
import { addPredecessor } from "./predecessor.ts";
import { asProblem, toResponse } from "./problem-answer.ts";
import { problem, problemKinds } from "./problems.ts";
import { createRateLimit } from "./rate-limit.ts";
import { createHandler, type ServeDeps } from "./serve-operation.ts";

export interface Api {
  /** `env` is what the adapter of Node's server passes on: it tells the address of the caller. */
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>;
}

/**
 * The HTTP API for people and tools, under `/api/v1`; the predecessor's routes; `/problems`, `/openapi.json`
 * and `/docs`. Every refusal and failure is a problem of the catalogue. To be loaded by the first request
 * that needs it: with its schemas comes more than a delivery should wait for.
 */
export function createApi(deps: ApiDeps): Api {
  const app = new Hono();
  const { now, requestsPerMinute } = deps;
  const serving: ServeDeps = { deps, allow: createRateLimit({ perMinute: requestsPerMinute, now }) };
  app.use(announce(deps.access));
  app.use(finish());
  app.notFound((context) => refuseRoute(app, context));
  app.onError((error, context) => refuse(error, context, deps));
  for (const operation of operations) {
    const path = `${basePath}${operation.path}`.replaceAll(/\{(\w+)\}/g, ":$1");
    app.on(operation.method, path, createHandler(operation, serving));
  }
  addPredecessor(app, serving);
  addDocs(app, deps);
  return { fetch: (request, env) => app.fetch(request, env) };
}

/** Gives every answer what all have, whatever came of the request. */
function finish(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const { res: response } = context;
    const etag = response.headers.get("etag");
    const known = context.req.header("if-none-match");
    const isRead = context.req.method === "GET" || context.req.method === "HEAD";
    if (isRead && response.status === 200 && etag !== null && matchesNone(known, etag)) {
      context.res = undefined;
      context.res = new Response(null, { status: 304, headers: kept(response.headers) });
    }
    // Nobody reads it: a stream would hold its place for as long as streams live.
    if (context.req.method === "HEAD") await context.res.body?.cancel();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
    const allowance: Readonly<Record<string, string>> | undefined = context.get("allowance");
    for (const [name, value] of Object.entries(allowance ?? {})) context.header(name, value);
  };
}

/** The headers a 304 repeats (RFC 9110 §15.4.5). */
function kept(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => ["etag", "link"].includes(name)));
}

function refuseRoute(app: Hono, context: Context): Response {
  const { method, path, raw } = context.req;
  const allowed = allowedMethods(app, path);
  const error =
    allowed.length === 0
      ? problem("unknown-route", { detail: `There is nothing at ${path.slice(0, 200)}.` })
      : problem("method-not-allowed", {
          detail: `${method} is not possible here: expected ${allowed.join(" or ")}.`,
          headers: { allow: allowed.join(", ") },
        });
  return toResponse(error, raw);
}

function refuse(error: unknown, context: Context, { log }: ApiDeps): Response {
  const refusal = asProblem(error);
  const { path, raw } = context.req;
  if (refusal.kind === "internal-error") log.error({ err: refusal.cause, path }, "request failed");
  else if (problemKinds[refusal.kind].status >= 500) {
    log.warn({ err: refusal.cause, path }, "request not served now");
  }
  return toResponse(refusal, raw);
}
