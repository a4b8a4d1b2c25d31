import type { Principal } from "../../../runtime/access/access.ts";
import type { ApiDeps } from "./deps.ts";
import { hashOf, type StoredAnswer } from "./idempotency-store.ts";
import { invalid } from "./operation.ts";
import { asProblem, toResponse } from "./problem-answer.ts";
import { problem, problemKinds } from "./problems.ts";

export interface OnceOptions {
  readonly caller: Principal;
  readonly request: Request;
  /** As it came. */
  readonly body: string;
  readonly deps: Pick<ApiDeps, "idempotency" | "log">;
}

/**
 * Performs a request once for each Idempotency-Key of a caller: a repeat within a day gets the first answer
 * again, marked `Idempotency-Replayed: true`. Answers of 5xx are not kept, so that the request can
 * be tried again. Without the header it is simply performed.
 */
export async function runOnce(perform: () => Promise<Response>, options: OnceOptions): Promise<Response> {
  const { caller, request, body, deps } = options;
  const name = readKey(request);
  if (name === undefined) return perform();
  const { pathname, search } = new URL(request.url);
  const key = hashOf(caller.type, caller.id, request.method, name);
  const fingerprint = hashOf(`${pathname}${search}`, request.headers.get("if-match") ?? "", body);
  const state = await deps.idempotency.begin(key, fingerprint);
  switch (state.kind) {
    case "answered":
      return replay(state.answer);
    case "in-use":
      throw problem("idempotency-key-in-use", {
        detail: "The first request with this Idempotency-Key is still under way.",
        headers: { "retry-after": "1" },
      });
    case "other-request":
      throw problem("idempotency-key-reused", {
        detail:
          "This Idempotency-Key was used for another request: expected the same path, If-Match and body.",
      });
    case "new":
      return performAndKeep(perform, key, options);
    default:
      return state satisfies never;
  }
}

async function performAndKeep(
  perform: () => Promise<Response>,
  key: Buffer,
  { request, deps: { idempotency, log } }: OnceOptions,
): Promise<Response> {
  const report = (error: unknown) =>
    log.warn({ err: error }, "the answer to a request with an Idempotency-Key was not kept");
  let response: Response;
  try {
    response = await perform();
  } catch (error) {
    const refusal = asProblem(error);
    if (problemKinds[refusal.kind].status >= 500) {
      await idempotency.abandon(key).catch(report);
      throw error;
    }
    response = toResponse(refusal, request);
  }
  // The work is done: when its answer cannot be kept, the mark stays and a repeat waits until it is old.
  await idempotency.finish(key, await toStored(response.clone())).catch(report);
  return response;
}

/** The headers that belong to the answer, not to the moment it is given. */
const keptHeaders: ReadonlySet<string> = new Set(["content-type", "etag", "location"]);

async function toStored(response: Response): Promise<StoredAnswer> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => keptHeaders.has(name)));
  return { status: response.status, headers, body: await response.text() };
}

function replay({ status, headers, body }: StoredAnswer): Response {
  const isEmpty = status === 204 || status === 304;
  return new Response(isEmpty ? null : body, {
    status,
    headers: { ...headers, "idempotency-replayed": "true" },
  });
}

/** The key, with or without the quotes that the draft asks for. */
function readKey(request: Request): string | undefined {
  const text = request.headers.get("idempotency-key");
  if (text === null) return undefined;
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (/^[\x21-\x7E]{1,255}$/.test(key)) return key;
  const detail = `${JSON.stringify(text.slice(0, 80))} is not allowed: expected 1 to 255 visible ASCII characters.`;
  throw invalid([{ header: "Idempotency-Key", detail, code: "format" }]);
}
