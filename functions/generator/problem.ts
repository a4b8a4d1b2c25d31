import { InvalidEventError } from "../../events/invalid-event.ts";
import { UnavailableError } from "../../runtime/failure.ts";

/**
 * Every reason for which a request or an event in it is refused: the HTTP status, and a title for people.
 * What the runtime refuses before it gets here (too large, compressed, unknown route) is not among them.
 */
export const problems = {
  EVENT_ATTRIBUTE_MISSING: [400, "A required CloudEvents attribute is missing"],
  EVENT_ATTRIBUTE_INVALID: [400, "A CloudEvents attribute is not valid"],
  EVENT_TYPE_UNKNOWN: [422, "No contract has this event type"],
  EVENT_DATA_INVALID: [422, "The data of the event is not valid"],
  EVENT_BODY_INVALID: [400, "The body cannot be read"],
  EVENT_MODE_UNSUPPORTED: [415, "This content mode is not supported here"],
  EVENT_TOO_DEEP: [400, "The JSON is nested too deeply"],
  EVENT_TIME_INVALID: [422, "The time of the event cannot be read"],
  EVENT_ID_REUSED: [409, "The id of the event is taken"],
  SOURCE_RECORD_INVALID: [422, "The record is not one this source writes"],
  SIGNATURE_INVALID: [401, "The signature does not fit the body"],
  EVENT_TOO_LARGE: [413, "The event is too large"],
  MEDIA_TYPE_UNSUPPORTED: [415, "The media type is not supported"],
  SETTINGS_INVALID: [422, "The settings are not valid"],
  UNAVAILABLE: [503, "The event could not be made durable"],
  INTERNAL: [500, "Something went wrong on our side"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problems;

/** A problem document (RFC 9457) as it is sent, with `code` and `pointer` as extension members. */
export interface Problem {
  /** `urn:auditflow:problem:` and the code in lower case. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** The place, the value and what is allowed. */
  readonly detail: string;
  readonly code: ProblemCode;
  /** JSON Pointer to the place in the request. */
  readonly pointer?: string;
  /** When to come again; also sent as `Retry-After`. */
  readonly retry_after_s?: number;
}

/** The request, or one event in it, is refused; `code` decides the status. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ProblemCode;
  readonly pointer: string | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: ErrorOptions & { readonly pointer?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.pointer = options.pointer;
  }
}

/**
 * What is told about a failure. Only our own errors speak for themselves: the text of an unexpected one
 * may hold what is nobody's business, and stays in the log.
 */
export function problemOf(failure: unknown): Problem {
  if (failure instanceof RequestError) return createProblem(failure.code, failure.message, failure.pointer);
  if (failure instanceof InvalidEventError) {
    return createProblem(failure.code, failure.message, failure.pointer);
  }
  if (failure instanceof UnavailableError) {
    const retry_after_s = Math.max(1, Math.ceil(failure.retryAfterMs / 1000));
    const detail = `${failure.dependency} is not available, and it is not certain that the event was accepted. Send it again: with an id of its own that is harmless.`;
    return { ...createProblem("UNAVAILABLE", detail), retry_after_s };
  }
  return createProblem("INTERNAL", "The request was not processed. It is safe to send it again.");
}

/** The response that carries a problem, with further members of the document if there are any. */
export function problemResponse(
  problem: Problem,
  { headers = {}, members = {} }: { headers?: Record<string, string>; members?: object } = {},
): Response {
  return new Response(JSON.stringify({ ...problem, ...members }), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(problem.retry_after_s === undefined ? {} : { "retry-after": String(problem.retry_after_s) }),
      ...headers,
    },
  });
}

function createProblem(code: ProblemCode, detail: string, pointer?: string): Problem {
  const [status, title] = problems[code];
  const type = `urn:auditflow:problem:${code.toLowerCase().replaceAll("_", "-")}`;
  return { type, title, status, detail, code, ...(pointer === undefined ? {} : { pointer }) };
}
