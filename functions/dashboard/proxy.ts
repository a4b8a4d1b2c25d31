import type { Context } from "hono";

import type { Log } from "../../runtime/log.ts";

/** An alert page that takes longer than this is better told "not up to date" than kept waiting. */
const timeoutMs = 10_000;

/**
 * Passes a GET on to the upstream API under the same path and query. Answers 502 or 504 with
 * problem+json when the upstream cannot be reached or is too slow; its own answers pass unchanged.
 */
export function createProxy({ upstream, log }: { readonly upstream: string; readonly log: Log }) {
  return async (context: Context): Promise<Response> => {
    const { pathname, search } = new URL(context.req.url);
    try {
      const response = await fetch(new URL(pathname + search, upstream), {
        headers: { accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), context.req.raw.signal]),
      });
      const contentType = response.headers.get("content-type") ?? "application/json";
      return new Response(response.body, {
        status: response.status,
        headers: { "content-type": contentType, "cache-control": "no-store" },
      });
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      log.warn({ err: error, path: pathname }, "the alert store could not be read");
      return problem(
        late ? 504 : 502,
        late ? "The alert store did not answer in time." : "The alert store cannot be reached.",
      );
    }
  };
}

function problem(status: number, detail: string): Response {
  const body = {
    type: "about:blank",
    title: status === 504 ? "Gateway Timeout" : "Bad Gateway",
    status,
    detail,
  };
  return Response.json(body, {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}
