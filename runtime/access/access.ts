import type { MiddlewareHandler } from "hono";

import { type Problem, toResponse } from "../problem.ts";
import type { Scope } from "./scopes.ts";

export type { Scope } from "./scopes.ts";

/** Who makes a request, and what they may do. */
export interface Principal {
  readonly type: "key" | "user" | "anonymous";
  /** The key's name, the user's `sub` or name at the issuer, or `anonymous`. */
  readonly id: string;
  /** With everything that follows from the scopes that were given. */
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * How callers are known: `local` asks nobody, because only this machine can call; `none` asks nobody
 * although others can; `login` asks for a credential.
 */
export type AccessMode = "local" | "none" | "login";

/** Decides who a request comes from. */
export interface Access {
  /**
   * Throws AccessError when the credential is missing, wrong, or tried too often, or where none is asked
   * for, when a browser was misled; and UnavailableError when what it is checked against is away.
   */
  authenticate(this: void, request: Request): Promise<Principal>;
  /** The address a request came from, as far as proxies that are trusted tell it; `unknown` when nothing does. */
  addressOf(this: void, request: Request): string;
  /** What everybody who reads an answer should know, such as that nobody is asked who they are. */
  readonly notice: string | undefined;
  readonly mode: AccessMode;
}

/** The header that carries `Access.notice`. */
export const noticeHeader = "x-auditflow-notice";

/** Why a caller is refused; each code has one status. */
const statuses = {
  /** There is no credential. */
  UNAUTHENTICATED: 401,
  /** The credential is wrong, has ended, or came in a place where it is not accepted. */
  CREDENTIAL_INVALID: 401,
  SCOPE_MISSING: 403,
  TOO_MANY_FAILURES: 429,
  /** A page of another site made a browser send a change to a server that asks for no credential. */
  CROSS_SITE: 403,
  /** A server for this machine alone was called by a name that is not this machine's. */
  HOST_UNKNOWN: 421,
} as const;

/** A caller is refused. */
export class AccessError extends Error {
  override readonly name = "AccessError";
  readonly code: keyof typeof statuses;
  readonly status: (typeof statuses)[keyof typeof statuses];
  /** `WWW-Authenticate` of RFC 6750, `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: AccessError["code"],
    message: string,
    headers: Readonly<Record<string, string>> = challenge(code),
  ) {
    super(message);
    this.code = code;
    this.status = statuses[code];
    this.headers = headers;
  }
}

const realm = 'Bearer realm="auditflow"';

/** RFC 6750 §3: a request without any credential is told no error. */
function challenge(code: AccessError["code"]): Readonly<Record<string, string>> {
  switch (code) {
    case "UNAUTHENTICATED":
      return { "www-authenticate": realm };
    case "CREDENTIAL_INVALID":
      return { "www-authenticate": `${realm}, error="invalid_token"` };
    case "SCOPE_MISSING":
    case "TOO_MANY_FAILURES":
    case "CROSS_SITE":
    case "HOST_UNKNOWN":
      return {};
    default:
      return code satisfies never;
  }
}

/** The refusal as a problem; it repeats nothing of the credential. */
export function toProblem({ status, code, message, headers }: AccessError): Problem {
  return { status, code, detail: message, headers };
}

declare module "hono" {
  interface ContextVariableMap {
    principal: Principal;
  }
}

/**
 * Lets a request pass when its caller has the scope; answers 401, 403 or 429 as problem+json otherwise.
 * UnavailableError passes through to the app's error handler, which makes 503 of it. Several on one route
 * authenticate once.
 */
export function requireScope(access: Access, scope: Scope): MiddlewareHandler {
  return async (context, next) => {
    try {
      const known: Principal | undefined = context.get("principal");
      const principal = known ?? (await access.authenticate(context.req.raw));
      context.set("principal", principal);
      checkScope(principal, scope);
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      return toResponse(toProblem(error));
    }
    await next();
    return undefined;
  };
}

/** Puts `Access.notice` on every answer of an app, its refusals and failures too: `app.use(announce(access))`. */
export function announce({ notice }: Pick<Access, "notice">): MiddlewareHandler {
  return async (context, next) => {
    await next();
    // Afterwards: what is set before is lost where a handler answers with a Response of its own.
    if (notice !== undefined) context.header(noticeHeader, notice);
  };
}

/** Throws AccessError SCOPE_MISSING, naming the scope. */
export function checkScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.has(scope)) return;
  const has = [...principal.scopes].join(", ") || "none";
  throw new AccessError("SCOPE_MISSING", `This needs the scope "${scope}"; the credential has: ${has}.`, {
    "www-authenticate": `${realm}, error="insufficient_scope", scope="${scope}"`,
  });
}
