import { isIPv4 } from "node:net";

import type { MiddlewareHandler } from "hono";

import { isExposed } from "../exposure.ts";
import { toResponse } from "../problem.ts";
import { AccessError, type AccessMode, toProblem } from "./access.ts";

const changing = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * Where nobody is asked for a credential, a page of any site could make a browser act here. Refuses a
 * change that a browser says it sends for another site, and, where only this machine may call, any name
 * that is not this machine's: a page can point a name of its own at 127.0.0.1, and a proxy beside us can
 * let others in without our knowing. Throws AccessError CROSS_SITE or HOST_UNKNOWN.
 */
export function checkBrowser(request: Request, mode: AccessMode): void {
  if (mode === "login") return;
  const host = request.headers.get("host") ?? "";
  if (mode === "local" && !isLocalName(host)) {
    throw new AccessError(
      "HOST_UNKNOWN",
      `Host ${JSON.stringify(host.slice(0, 200))} is not this machine, and nothing else is served without AUDITFLOW_AUTH: use localhost.`,
    );
  }
  if (mode === "local" && isForwarded(request.headers)) {
    throw new AccessError(
      "HOST_UNKNOWN",
      "A proxy passed this on from another machine, and none is served without AUDITFLOW_AUTH.",
    );
  }
  if (changing.has(request.method) && isForeign(request.headers, host)) {
    throw new AccessError("CROSS_SITE", "A page of another site cannot make changes here.");
  }
}

/** `checkBrowser` for a whole app: refusals are answered as problem+json. */
export function guardBrowser(mode: AccessMode): MiddlewareHandler {
  return async (context, next) => {
    try {
      checkBrowser(context.req.raw, mode);
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      return toResponse(toProblem(error));
    }
    await next();
    return undefined;
  };
}

/**
 * Whether a browser sent it for a page of another origin. Those that do not say so (`Sec-Fetch-Site`) name
 * the origin; a proxy tells under which name it was called, in a header no page can make a browser send
 * without asking us first. What is no browser sends neither.
 */
function isForeign(headers: Headers, host: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  if (origin === null) return false;
  if (!URL.canParse(origin)) return true;
  const named = new URL(origin).host;
  return named !== host && named !== headers.get("x-forwarded-host");
}

/** Whether a proxy beside us, our own dashboard among them, says that it was called by or as another machine. */
function isForwarded(headers: Headers): boolean {
  const names = listOf(headers.get("x-forwarded-host"));
  const addresses = listOf(headers.get("x-forwarded-for"));
  return !names.every(isLocalName) || addresses.some(isExposed);
}

function listOf(header: string | null): readonly string[] {
  return header === null ? [] : header.split(",").map((part) => part.trim());
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "" || name === "localhost" || name === "[::1]" || (isIPv4(name) && name.startsWith("127."));
}
