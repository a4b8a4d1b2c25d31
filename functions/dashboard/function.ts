import { z } from "zod";

import { announce } from "../../runtime/access/access.ts";
import { guardBrowser } from "../../runtime/access/browser.ts";
import { chooseMode, noticeOf } from "../../runtime/access/open.ts";
import { accessSettings } from "../../runtime/access/settings.ts";
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
  /** Said here, too, because people may reach this function; notification is what asks them. */
  AUDITFLOW_AUTH: accessSettings.shape.AUDITFLOW_AUTH,
});

/** What of notification is served here under the same address. */
const passed = [
  ["GET", "/alerts"],
  ["GET", "/alerts/:id"],
  ["GET", "/dead-letters"],
  ["GET", "/openapi.json"],
  ["GET", "/docs"],
  ["GET", "/docs.css"],
  ["GET", "/problems"],
  ["GET", "/problems/*"],
  ...["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => [method, "/api/v1/*"] as const),
] as const;

/** Shows the alerts: serves the page, and passes what is asked of notification's API on to it. */
export const dashboard = defineFunction({
  name: "dashboard",
  accepts: [],
  emits: [],
  config,
  start: async ({ config, log, exposed }) => {
    const mode = chooseMode(config, exposed);
    const assets = await loadAssets();
    const proxy = createProxy({ upstream: config.AUDITFLOW_NOTIFICATION_URL, log });
    const app = createApp({ log });
    app.use(async (context, next) => {
      await next();
      for (const [name, value] of Object.entries(securityHeaders)) {
        // A page of notification's own says for itself what it needs.
        if (!context.res.headers.has(name)) context.header(name, value);
      }
    });
    app.use(announce({ notice: noticeOf(mode) }));
    app.use(guardBrowser(mode));
    for (const [path, { body, contentType }] of assets) {
      app.get(
        path,
        () => new Response(body, { headers: { "content-type": contentType, "cache-control": "no-cache" } }),
      );
    }
    for (const [method, path] of passed) app.on(method, path, proxy);
    return { fetch: app.fetch, [Symbol.asyncDispose]: async () => {} };
  },
});
