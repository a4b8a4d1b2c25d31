import type { EncodedMessage } from "../../../events/http-message.ts";

/** What a destination answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends a message to an address; rejects with AwayError when nobody is there, else with what went wrong. */
export type PostTo = (url: string, message: EncodedMessage) => Promise<Answer>;

/** Nobody listens at the address, or it is none any more: the message was not received. */
export class AwayError extends Error {
  override readonly name = "AwayError";
}

const away: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"]);

/** An answer may carry one event. */
const maxBytes = 1024 * 1024;

/** One POST without redirects; an answer that is too long is cut. */
export function createPostTo({ timeoutMs }: { readonly timeoutMs: number }): PostTo {
  return async (url, { headers, body }) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: new Uint8Array(body),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await readBody(response),
      };
    } catch (error) {
      throw isAway(error) ? new AwayError(`Nobody listens at ${url}.`, { cause: error }) : error;
    }
  };
}

async function readBody(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    length += part.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

function isAway(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" && away.has(cause.code);
}
