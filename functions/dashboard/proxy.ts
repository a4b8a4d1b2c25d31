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
    // Only the beginning of the answer has to come in time: a stream of alerts goes on.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(new URL(pathname + search, upstream), {
        headers: forwarded(context),
        redirect: "error",
        signal: AbortSignal.any([late.signal, context.req.raw.signal]),
      });
      const contentType = response.headers.get("content-type") ?? "application/json";
      return new Response(response.body, {
        status: response.status,
        headers: { "content-type": contentType, "cache-control": "no-store" },
      });
    } catch (error) {
      log.warn({ err: error, path: pathname }, "the alert store could not be read");
      return late.signal.aborted
        ? problem(504, "The alert store did not answer in time.")
        : problem(502, "The alert store cannot be reached.");
    } finally {
      clearTimeout(timer);
    }
  };
}

/** What the upstream needs to know: what the client reads, and where its stream broke off. */
function forwarded(context: Context): Record<string, string> {
  const { accept = "application/json", "last-event-id": lastEventId } = context.req.header();
  return lastEventId === undefined ? { accept } : { accept, "last-event-id": lastEventId };
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
