import { connect } from "node:net";
import { once } from "node:events";

/** A fixed number of identical requests over some connections kept open, one at a time on each. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly request: Buffer;
}

/**
 * Sends the load and answers with requests per second. Raw sockets, because Node's HTTP client costs more
 * than the server it would measure. Answers must have no body (204) or fit one read.
 */
export async function sendLoad({ port, connections, requests, request }: Load): Promise<number> {
  const each = Math.ceil(requests / connections);
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, () => sendOn(port, request, each)));
  return (each * connections) / ((performance.now() - started) / 1000);
}

async function sendOn(port: number, request: Buffer, count: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let left = count;
  const done = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    if (chunk.toString("latin1", 9, 12) !== "204")
      return done.reject(new Error(`answered ${chunk.toString("latin1", 0, 300)}`));
    left -= 1;
    if (left === 0) done.resolve();
    else socket.write(request);
  });
  socket.on("error", done.reject);
  socket.write(request);
  await done.promise;
  socket.destroy();
}

/** A POST in HTTP/1.1 as bytes. */
export function rawRequest(headers: Readonly<Record<string, string>>, body: Buffer): Buffer {
  const lines = Object.entries({ host: "127.0.0.1", ...headers, "content-length": String(body.length) });
  const head = `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}
