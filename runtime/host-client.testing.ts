import { createServer } from "node:http";
import { connect } from "node:net";
import { expect } from "vitest";

import { auditRecorded } from "../events/contracts/audit-recorded.ts";
import { type EventRejected, eventRejected } from "../events/contracts/event-rejected.ts";
import { decodeRequest } from "../events/http.ts";

/** A running host of the function `echo`. */
export interface HostUnderTest extends AsyncDisposable {
  readonly url: string;
  /** Undefined while the process that serves is alive. */
  readonly exitCode: () => number | null | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export const mebibyte = 1_048_576;
export const trace = "0af7651916cd43dd8448eb211c80319c";
export const span = "b7ad6b7169203331";

export const attributes = {
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/test/source",
  "ce-type": auditRecorded.type,
  "ce-time": "2026-11-21T12:00:00Z",
};
export const envelope: Readonly<Record<string, string>> = {
  ...attributes,
  "content-type": "application/json",
};

export const structured = {
  specversion: "1.0",
  id: "e-1",
  source: "/test/source",
  type: auditRecorded.type,
  datacontenttype: "application/json",
  data: { event_type: "quiet" },
};
export const structuredHeaders = { "content-type": "application/cloudevents+json" };

export const quiet = JSON.stringify({ event_type: "quiet" });
export const padded = (bytes: number) =>
  `${quiet.slice(0, -1)},"x":"${"x".repeat(bytes - quiet.length - 7)}"}`;

/** Talks to a host and watches over it. */
export function createHostClient(host: HostUnderTest, sink: SinkServer) {
  const post = (headers: Readonly<Record<string, string>>, body: string | Buffer, path = "/") =>
    send(host.url + path, { method: "POST", headers, body });
  const deliver = (data: unknown, headers: Readonly<Record<string, string>> = envelope) =>
    post(headers, JSON.stringify(data));
  const metric = async (line: string) => metricOf((await get("/metrics")).body.toString(), line);
  const get = (path: string, init: RequestInit = {}) => send(host.url + path, init);

  /** The record of a request that is refused for ever: counted once under its code, and survived. */
  async function rejectionOf(request: () => Promise<Reply>): Promise<EventRejected> {
    const before = (await get("/metrics")).body.toString();
    const reply = await request();
    expect(reply.status).toBe(200);
    const { source, data } = recordOf(reply);
    expect(source).toBe("/auditflow/echo");
    const counter = `auditflow_events_rejected_total{code="${data.code}"`;
    expect(await metric(counter)).toBe(metricOf(before, counter) + 1);
    await expectAlive();
    return data;
  }

  async function expectAlive() {
    expect(host.exitCode()).toBeUndefined();
    expect((await get("/livez")).status).toBe(200);
    expect((await deliver({ event_type: "quiet" })).status).toBe(204);
  }

  return { url: host.url, sink, post, deliver, metric, get, rejectionOf, expectAlive };
}
type HostClient = ReturnType<typeof createHostClient>;
/** Filled before the first test runs. */
export interface UnderTest {
  client: HostClient;
}

export function without(headers: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

export async function send(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: "manual", ...init });
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  };
}

export function eventOf({ headers, body }: Reply) {
  return decodeRequest({ headers: Object.fromEntries(headers), body });
}

export function recordOf(reply: Reply) {
  const event = eventOf(reply);
  expect(event.type).toBe(eventRejected.type);
  return { ...event, data: eventRejected.data.parse(event.data) };
}

/** The value of the series whose line begins so; 0 while there is none. */
export function metricOf(text: string, start: string): number {
  const line = text.split("\n").find((each) => each.startsWith(start));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ")));
}

export function requestHead(url: string, headers: Readonly<Record<string, string>>): string {
  const { pathname, host } = new URL(url);
  const lines = Object.entries({ host, connection: "close", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`POST ${pathname} HTTP/1.1`, ...lines, "", ""].join("\r\n");
}

/** Sends what `fetch` would refuse to, or would add to; header values are latin-1. */
export function sendRaw(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Reply> {
  const bytes = Buffer.from(body);
  if (headers["transfer-encoding"] === "chunked") {
    const chunk = Buffer.concat([
      Buffer.from(`${bytes.length.toString(16)}\r\n`),
      bytes,
      Buffer.from("\r\n0\r\n\r\n"),
    ]);
    return exchange(url, Buffer.concat([Buffer.from(requestHead(url, headers), "latin1"), chunk]));
  }
  const head = requestHead(url, { ...headers, "content-length": String(bytes.length) });
  return exchange(url, Buffer.concat([Buffer.from(head, "latin1"), bytes]));
}

/** Writes the bytes, reads until the other side closes, and takes the one response apart. */
export async function exchange(url: string, bytes: Buffer): Promise<Reply> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise((resolve, reject) => {
    socket.once("close", resolve);
    socket.once("error", reject);
  });
  const all = Buffer.concat(chunks);
  const end = all.indexOf("\r\n\r\n");
  const [first = "", ...lines] = all.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Headers(
    lines.map(
      (line) =>
        [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as [string, string],
    ),
  );
  return { status: Number(first.split(" ")[1]), headers, body: all.subarray(end + 4) };
}

/** A broker's ingress that keeps what it is sent. */
export function createSinkServer() {
  const received: ReturnType<typeof decodeRequest>[] = [];
  const state = { received, answer: 202 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push(decodeRequest({ headers: request.headers, body: Buffer.concat(chunks) }));
      response.writeHead(state.answer).end();
    });
  });
  return Object.assign(state, {
    listen: () =>
      new Promise<string>((resolve) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          if (typeof address === "object" && address) resolve(`http://127.0.0.1:${address.port}/`);
        });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

export type SinkServer = ReturnType<typeof createSinkServer>;
