import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import type { Post } from "./attempt.ts";
import type { OutgoingRequest } from "./message.ts";
import type { Answer } from "./reply.ts";

/** A reply larger than this is no answer: the attempt fails. */
const maxReplyBytes = 16 * 1024 * 1024;

const maxRedirects = 10;

export interface Poster extends Disposable {
  readonly post: Post;
}

/** An HTTP client with connections of its own; disposing it fails what is in flight. */
export function openPoster(): Poster {
  const options = { keepAlive: true, scheduling: "lifo" } as const;
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const closing = new AbortController();

  const post: Post = async (url, request, timeoutMs) => {
    const deadline = timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : [];
    const signal = AbortSignal.any([closing.signal, ...deadline]);
    let target = { url: new URL(url), method: "POST", ...request };
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const answer = await send(target, signal);
      const location = answer.headers["location"]?.[0];
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      target = redirected(target, { status: answer.status, location });
    }
    throw new Error(`${url} redirects more than ${maxRedirects} times`);
  };

  async function send(target: Target, signal: AbortSignal): Promise<Answer> {
    try {
      return await sendOnce(target, signal);
    } catch (error) {
      // The server closed an idle connection just as it was taken again: not the subscriber's failure.
      if (error instanceof StaleConnectionError) return sendOnce(target, signal);
      throw error;
    }
  }

  async function sendOnce({ url, method, headers, body }: Target, signal: AbortSignal): Promise<Answer> {
    const secure = url.protocol === "https:";
    const create = secure ? httpsRequest : httpRequest;
    const agent = secure ? agents.https : agents.http;
    const request = create(url, {
      method,
      agent,
      signal,
      headers: { ...headers, "content-length": body.length },
    });
    const response = await responseTo(request, body);
    return {
      status: response.statusCode ?? 0,
      headers: response.headersDistinct,
      body: await bodyOf(response),
    };
  }

  return {
    post,
    [Symbol.dispose]: () => {
      closing.abort(new Error("the broker closes"));
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function responseTo(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", (error) => {
      const stale = request.reusedSocket && isReset(error);
      reject(stale ? new StaleConnectionError(error.message, { cause: error }) : error);
    });
    request.end(body);
  });
}

interface Target extends OutgoingRequest {
  readonly url: URL;
  readonly method: string;
}

class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";
}

/** As Go's client does it: 307 and 308 keep method and body, the others become a GET. */
function redirected(target: Target, to: { readonly status: number; readonly location: string }): Target {
  const url = new URL(to.location, target.url);
  if (to.status === 307 || to.status === 308) return { ...target, url };
  return { ...target, url, method: "GET", body: Buffer.alloc(0) };
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > maxReplyBytes) throw new Error(`the answer is longer than ${maxReplyBytes} bytes`);
    chunks.push(bytes);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
