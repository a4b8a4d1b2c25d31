import { HTTPException } from "hono/http-exception";

import { AccessError } from "../../../runtime/access/access.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import { parseTraceparent } from "../../../runtime/tracing.ts";
import { ChangeError } from "../life-cycle/action.ts";
import { QueryError } from "../query/error.ts";
import { SilenceError } from "../silences/silence.ts";
import { CursorError } from "../store/opaque.ts";
import { invalid } from "./operation.ts";
import { problem, ProblemError, problemKinds, type ProblemName, toDocument } from "./problems.ts";

/** A problem as the answer to a request; `instance` names its trace when it belongs to one. */
export function toResponse(error: ProblemError, request: Request): Response {
  const { status } = problemKinds[error.kind];
  const trace = parseTraceparent(request.headers.get("traceparent"));
  const instance = trace === undefined ? undefined : `urn:trace:${trace.traceId}`;
  return new Response(JSON.stringify(toDocument(error, instance)), {
    status,
    headers: { ...error.options.headers, "content-type": "application/problem+json" },
  });
}

/**
 * What is told about a failure. Only errors made for callers speak for themselves: the text of any other
 * may hold what is nobody's business, and stays in the log.
 */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof QueryError) return fromQuery(error);
  if (error instanceof ChangeError) return fromChange(error);
  if (error instanceof SilenceError) return fromSilence(error);
  if (error instanceof CursorError) return badCursor(error);
  if (error instanceof AccessError) return fromAccess(error);
  if (error instanceof UnavailableError) return fromUnavailable(error);
  if (error instanceof HTTPException) {
    return problem(error.status === 413 ? "body-too-large" : "malformed-json", { detail: error.message });
  }
  return problem("internal-error", { detail: "The request failed; the log says why.", cause: error });
}

function fromQuery(error: QueryError): ProblemError {
  const { message, position, length, expected, suggestion } = error;
  const members = { position, length, expected, ...(suggestion !== undefined && { suggestion }) };
  return problem("invalid-query", { detail: message, members, cause: error });
}

function fromChange(error: ChangeError): ProblemError {
  const { pointer, message } = error;
  if (pointer === "/by") return problem("actor-required", { detail: message, cause: error });
  return invalid([{ pointer, detail: message, code: "value" }]);
}

function fromSilence(error: SilenceError): ProblemError {
  const { pointer, message } = error;
  if (pointer === null) return problem("limit-reached", { detail: message, cause: error });
  return invalid([{ pointer, detail: message, code: "value" }]);
}

function badCursor(cause: Error): ProblemError {
  return problem("invalid-cursor", { detail: cause.message, cause });
}

const accessProblems = {
  UNAUTHENTICATED: "unauthenticated",
  CREDENTIAL_INVALID: "unauthenticated",
  SCOPE_MISSING: "forbidden",
  TOO_MANY_FAILURES: "too-many-requests",
  CROSS_SITE: "cross-site-request",
  HOST_UNKNOWN: "unknown-host",
} as const satisfies Record<AccessError["code"], ProblemName>;

function fromAccess(error: AccessError): ProblemError {
  return problem(accessProblems[error.code], {
    detail: error.message,
    headers: error.headers,
    members: { code: error.code },
    cause: error,
  });
}

function fromUnavailable(error: UnavailableError): ProblemError {
  const seconds = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  return problem("unavailable", {
    // Why it is away may tell addresses and user names, which the log is for.
    detail: `${error.dependency} is not available now.`,
    headers: { "retry-after": seconds },
    cause: error,
  });
}
