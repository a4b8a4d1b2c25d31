import { urlToHttpOptions } from "node:url";

import type { EncodedMessage } from "./http-message.ts";

/** The part of an answer that tells whether the message was taken. */
export interface PostAnswer {
  readonly status: number;
  /** What `Retry-After` asks for: seconds or an HTTP date, as it stands. */
  readonly retryAfter: string | undefined;
}

/** Sends one message; rejects when there is no answer: no connection, no answer in time, or aborted. */
export type Post = (message: EncodedMessage, signal?: AbortSignal) => Promise<PostAnswer>;

/** What a failed attempt has beside its message. */
interface Failure {
  /** The connection was one that had been idle, and the other side had closed it. */
  readonly onStaleConnection: boolean;
}

/**
 * A client that POSTs to one URL over connections it keeps. `node:http` and not `fetch`, which takes more
 * than twice the CPU for a request.
 */
export function createPost({ url, timeoutMs }: { readonly url: string; readonly timeoutMs: number }): Post {
  const target = new URL(url);
  // Loaded here and not at the top: a startup snapshot cannot contain them.
  const http = process.getBuiltinModule(target.protocol === "https:" ? "node:https" : "node:http");
  const agent = new http.Agent({ keepAlive: true, scheduling: "lifo" });
  const options = { ...urlToHttpOptions(target), method: "POST", agent };

  function attempt({ headers, body }: EncodedMessage, signal?: AbortSignal): Promise<PostAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<PostAnswer>();
    const request = http.request({
      ...options,
      headers: { ...headers, "content-length": String(body.length) },
      ...(signal && { signal }),
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.once("response", (response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] });
      // The body is of no interest, but the connection is free only once it has passed.
      response.once("error", ignore).resume();
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const onStaleConnection = request.reusedSocket && error.code === "ECONNRESET";
      reject(Object.assign(error, { onStaleConnection } satisfies Failure));
    });
    request.once("close", () => clearTimeout(timer));
    request.end(body);
    return promise;
  }

  return async (message, signal) => {
    try {
      return await attempt(message, signal);
    } catch (error) {
      // The receiver closed an idle connection just as it was used again: it has not seen the message.
      if (!isStale(error)) throw error;
      return attempt(message, signal);
    }
  };
}

function isStale(error: unknown): boolean {
  return error instanceof Error && "onStaleConnection" in error && error.onStaleConnection === true;
}

function ignore(): void {}
