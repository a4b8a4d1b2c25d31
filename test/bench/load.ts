import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A fixed number of requests over some connections kept open, one at a time on each. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  /** The request as bytes; a function is asked for each one, from 0 on. */
  readonly request: Buffer | ((index: number) => Buffer);
  /** What every answer must be; 204 when absent. */
  readonly status?: number;
}

/**
 * Sends the load and answers with requests per second. Raw sockets, because Node's HTTP client costs more
 * than the server it would measure.
 */
export async function sendLoad({ port, connections, requests, request, status }: Load): Promise<number> {
  let sent = 0;
  const next = () => {
    if (sent === requests) return undefined;
    const bytes = typeof request === "function" ? request(sent) : request;
    sent += 1;
    return bytes;
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, () => sendOn(port, next, status ?? 204)));
  return requests / ((performance.now() - started) / 1000);
}

/** Sends requests over one connection, each after the answer to the one before, until there are no more. */
async function sendOn(port: number, next: () => Buffer | undefined, status: number): Promise<void> {
  const socket = await open(port);
  const expected = String(status);
  const done = Promise.withResolvers<void>();
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    if (!isWhole(received)) return;
    if (received.slice(9, 12) !== expected) done.reject(new Error(`answered ${received.slice(0, 1000)}`));
    received = "";
    const request = next();
    if (request) socket.write(request);
    else done.resolve();
  });
  socket.on("error", done.reject);
  socket.on("close", () => done.reject(new Error("the server closed the connection")));
  const first = next();
  if (first) socket.write(first);
  else done.resolve();
  try {
    await done.promise;
  } finally {
    socket.destroy();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** Whether this text is an HTTP answer with all of its body. */
function isWhole(answer: string): boolean {
  const endOfHead = answer.indexOf("\r\n\r\n");
  if (endOfHead < 0) return false;
  const bodyLength = answer.length - endOfHead - 4;
  const head = answer.slice(0, endOfHead);
  const announced = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (announced !== undefined) return bodyLength >= Number(announced);
  return !/\r\ntransfer-encoding: *chunked/i.test(head) || answer.endsWith("\r\n0\r\n\r\n");
}

/** A POST in HTTP/1.1 as bytes. */
export function rawRequest(
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  { method = "POST", path = "/" }: { readonly method?: string; readonly path?: string } = {},
): Buffer {
  const lines = Object.entries({ host: "127.0.0.1", ...headers, "content-length": String(body.length) });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}
