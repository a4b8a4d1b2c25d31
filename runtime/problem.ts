import { STATUS_CODES } from "node:http";

/** An error answer of the HTTP API for people and tools (RFC 9457). Never given to a broker. */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  /** One of the codes the README lists, where there is one for it. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const problemType = "application/problem+json";

/** The JSON of a problem. */
export function formatProblem({ status, detail, code }: Problem): string {
  return JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    code,
  });
}

/** A problem as the answer of a `fetch` handler. */
export function toResponse(problem: Problem): Response {
  return new Response(formatProblem(problem), {
    status: problem.status,
    headers: { "cache-control": "no-store", ...problem.headers, "content-type": problemType },
  });
}

export function unknownRoute(path: string): Problem {
  return { status: 404, detail: `There is nothing at ${path.slice(0, 200)}.` };
}

export function wrongMethod(method: string, allowed: readonly string[]): Problem {
  return {
    status: 405,
    detail: `${method} is not possible here: expected ${allowed.join(" or ")}.`,
    headers: { allow: allowed.join(", ") },
  };
}
