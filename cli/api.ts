import { randomUUID } from "node:crypto";
import { z } from "zod";

import { CliError, type ExitCode, exitCode } from "./exit-code.ts";
import { parseJson } from "./json.ts";
import { printable } from "./print.ts";
import { openTarget, request, type TargetOptions, tokenHint } from "./target.ts";

/** The options of every command that talks to the API. */
export interface ApiOptions {
  readonly target?: string;
  readonly tokenFile?: string;
}

export interface ApiRequest {
  /** Members that are `undefined` are left out; a list repeats its name. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API of a running AuditFlow. Answers that are errors become a `CliError` with the problem's detail. */
export interface ApiClient {
  readonly base: string;
  /** The parsed JSON of the answer; `undefined` when it has no body. */
  request(method: string, path: string, options?: ApiRequest): Promise<unknown>;
  /** The answer itself, for its headers or to stream its body. */
  fetch(method: string, path: string, options?: ApiRequest): Promise<Response>;
}

/** A client of the target; see `openTarget`. */
export async function createClient(options: TargetOptions): Promise<ApiClient> {
  const { base, headers: authorization } = await openTarget(options);

  async function send(method: string, path: string, options: ApiRequest = {}): Promise<Response> {
    const url = toUrl(base, path, options.query);
    const hasBody = options.body !== undefined;
    const response = await request(url, {
      method,
      headers: {
        accept: "application/json",
        ...authorization,
        ...(hasBody ? { "content-type": "application/json" } : {}),
        // A POST that is tried again by a proxy must not be done twice.
        ...(method === "POST" ? { "idempotency-key": randomUUID() } : {}),
        ...options.headers,
      },
      ...(hasBody ? { body: JSON.stringify(options.body) } : {}),
    });
    if (!response.ok) throw await toError(response, url);
    return response;
  }

  return {
    base,
    fetch: send,
    async request(method, path, options) {
      const text = await (await send(method, path, options)).text();
      return text === "" ? undefined : parseJson(text);
    },
  };
}

/** A base with a path (`https://host/auditflow`) keeps it. */
function toUrl(base: string, path: string, query: ApiRequest["query"] = {}): URL {
  const url = new URL(`${base.replace(/\/$/, "")}${path}`);
  for (const [name, value] of Object.entries(query)) {
    const values = value === undefined ? [] : Array.isArray(value) ? value : [String(value)];
    for (const one of values) url.searchParams.append(name, String(one));
  }
  return url;
}

const problem = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z
    .array(
      z.looseObject({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
    )
    .optional(),
});

async function toError(response: Response, url: URL): Promise<CliError> {
  const { data } = problem.safeParse(parseJson(await response.text()));
  const detail = data?.detail ?? data?.title ?? `${url.pathname} answered ${response.status}.`;
  const lines = (data?.errors ?? []).map(({ pointer, parameter, detail: why }) => {
    const place = pointer ?? parameter;
    return place === undefined ? why : `${place}: ${why}`;
  });
  const hint = response.status === 401 ? ` ${tokenHint}` : "";
  return new CliError(
    // What it repeats may be somebody else's words.
    [detail + hint, ...lines.filter((line) => line !== detail)].map(printable).join("\n  "),
    exitCodeOf(response.status),
  );
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCode.denied;
  if (status === 404) return exitCode.notFound;
  if (status === 409 || status === 412) return exitCode.conflict;
  if (status === 429 || status >= 500) return exitCode.unreachable;
  return exitCode.usage;
}
