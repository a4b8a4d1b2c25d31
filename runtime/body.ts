import type { IncomingMessage } from "node:http";

/** Largest request body that is read: 1 MiB. */
export const maxBodyBytes = 1_048_576;

/** A request body, or its beginning when it is larger than `maxBodyBytes`. */
export interface ReceivedBody {
  readonly bytes: Buffer;
  readonly truncated: boolean;
}

/** The client went away before its request was complete; there is nobody to answer. */
export class DisconnectedError extends Error {
  override readonly name = "DisconnectedError";
}

/**
 * Reads a body of at most `maxBodyBytes`. A larger one is given up as soon as that is known, from its
 * Content-Length or by counting, with its first `keep` bytes; the rest is not buffered, and Node discards
 * it so that the client can read the answer.
 */
export function readBody(request: IncomingMessage, keep: number): Promise<ReceivedBody> {
  const tooLarge = Number(request.headers["content-length"]) > maxBodyBytes;
  if (tooLarge && keep === 0) return Promise.resolve({ bytes: Buffer.alloc(0), truncated: true });
  const limit = tooLarge ? keep : maxBodyBytes;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let settled = false;
    const settle = (truncated: boolean) => {
      settled = true;
      const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      resolve({ bytes: truncated ? bytes.subarray(0, keep) : bytes, truncated });
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) return;
      request.off("data", onData);
      request.resume();
      settle(true);
    };
    const onGone = () => {
      // Every request closes; an error is made only for those that close too soon.
      if (!settled) reject(new DisconnectedError("the client went away"));
    };
    request.on("data", onData);
    request.on("end", () => settle(tooLarge));
    // Without a listener for it Node emits no error when the client goes away, only this.
    request.on("close", onGone);
  });
}
