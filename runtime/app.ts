import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";

import { UnavailableError } from "./failure.ts";
import type { Log } from "./log.ts";
import { toResponse, unknownRoute, wrongMethod } from "./problem.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * A hono app whose unknown routes (404), wrong methods (405 with Allow) and failures (503 with Retry-After
 * when a dependency is away, else 500) are answered as problem+json.
 */
export function createApp({ log }: { readonly log: Log }): Hono {
  const app = new Hono();
  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = allowedMethods(app, path);
    if (allowed.length === 0) return toResponse(unknownRoute(path));
    return toResponse(wrongMethod(method, allowed));
  });
  app.onError((error, context) => {
    if (error instanceof HTTPException) return toResponse({ status: error.status, detail: error.message });
    if (error instanceof UnavailableError) {
      log.warn({ reason: error.message, path: context.req.path }, "request not served now");
      const seconds = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
      // Why it is away may tell addresses and user names, which the log is for.
      const detail = `${error.dependency} is not available now.`;
      return toResponse({ status: 503, detail, headers: { "retry-after": seconds } });
    }
    log.error({ err: error, path: context.req.path }, "request failed");
    return toResponse({ status: 500, detail: "The request failed; the log says why." });
  });
  return app;
}

/** The methods for which an app has a handler at this path. */
export function allowedMethods(app: Hono, path: string): readonly string[] {
  return methods.filter((method) => hasRoute(app, method, path));
}

/** Whether a handler, not only a middleware, is registered for the method and path. */
function hasRoute(app: Hono, method: string, path: string): boolean {
  const routed = method === "HEAD" ? "GET" : method;
  const [candidates] = app.router.match(routed, path);
  return candidates.some(([[, route]]) => route.method === routed);
}
