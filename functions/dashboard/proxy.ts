import type { Context } from "hono";

import { peerOf } from "../../runtime/access/address.ts";
import type { Log } from "../../runtime/log.ts";

/** An alert page that takes longer than this is better told "not up to date" than kept waiting. */
const timeoutMs = 10_000;

/**
 * Passes a request on to the upstream API under the same path and query. Answers 502 or 504 with
 * problem+json when the upstream cannot be reached or is too slow; its own answers pass unchanged, refusals
 * of a credential among them.
 */
export function createProxy({ upstream, log }: { readonly upstream: string; readonly log: Log }) {
  return async (context: Context): Promise<Response> => {
    const { pathname, search } = new URL(context.req.url);
    const { method } = context.req;
    // Only the beginning of the answer has to come in time: a stream of alerts goes on.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(new URL(pathname + search, upstream), {
        method,
        headers: forwarded(context.req.raw),
        ...(method === "GET" || method === "HEAD" ? {} : { body: await context.req.arrayBuffer() }),
        redirect: "error",
        signal: AbortSignal.any([late.signal, context.req.raw.signal]),
      });
      return new Response(response.body, { status: response.status, headers: returned(response.headers) });
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

/** What of a request is for the upstream; what tells it of a browser was judged here. */
const requestHeaders = words(
  "accept authorization content-type last-event-id if-match if-none-match idempotency-key prefer traceparent",
);

function forwarded(request: Request): Headers {
  const headers = new Headers({ accept: "application/json" });
  for (const name of requestHeaders) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const way = [request.headers.get("x-forwarded-for"), peerOf(request)].filter((step) => step);
  if (way.length > 0) headers.set("x-forwarded-for", way.join(", "));
  return headers;
}

/** What belongs to the connection or to a body that was unpacked on the way; and cookies, of which there are none. */
const notReturned = new Set(
  words(
    "connection keep-alive transfer-encoding trailer upgrade date content-encoding content-length set-cookie",
  ),
);

function returned(headers: Headers): Headers {
  const back = new Headers({ "content-type": "application/json", "cache-control": "no-store" });
  for (const [name, value] of headers) if (!notReturned.has(name)) back.set(name, value);
  return back;
}

function words(text: string): readonly string[] {
  return text.split(" ");
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
