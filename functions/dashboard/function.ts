import { z } from "zod";

import { createApp } from "../../runtime/app.ts";
import { defineFunction } from "../../runtime/function.ts";
import { loadAssets } from "./assets.ts";
import { createProxy } from "./proxy.ts";

/**
 * What the browser may do with the page: run our script, read our style and our API, and nothing else.
 * Whatever an event contains is shown as text; this is the second wall.
 */
const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
} as const;

/** Everything the dashboard reads from its environment. */
const config = z.object({
  /** Base URL of notification, whose API the page reads. */
  AUDITFLOW_NOTIFICATION_URL: z.url({ protocol: /^https?$/ }),
});

/** Shows the alerts: serves the page and passes its reads on to notification's API. */
export const dashboard = defineFunction({
  name: "dashboard",
  accepts: [],
  emits: [],
  config,
  start: async ({ config, log }) => {
    const assets = await loadAssets();
    const proxy = createProxy({ upstream: config.AUDITFLOW_NOTIFICATION_URL, log });
    const app = createApp({ log });
    app.use(async (context, next) => {
      await next();
      for (const [name, value] of Object.entries(securityHeaders)) context.header(name, value);
    });
    for (const [path, { body, contentType }] of assets) {
      app.get(
        path,
        () => new Response(body, { headers: { "content-type": contentType, "cache-control": "no-cache" } }),
      );
    }
    app.get("/alerts", proxy);
    app.get("/alerts/:id", proxy);
    app.get("/dead-letters", proxy);
    return { fetch: app.fetch, [Symbol.asyncDispose]: async () => {} };
  },
});
