import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { pino } from "pino";

import type { Event } from "../../events/event.ts";
import { decodeRequest } from "../../events/http.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import type { Overrides } from "../../runtime/host.ts";
import { serve, type Served } from "../../runtime/serve.ts";
import { defineGenerator } from "./definition.ts";

/** A broker's ingress that remembers what it was sent, and fails when it is told to. */
export interface LoopbackSink extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Event[];
  /** What it answers from now on; the standard is 202, and with 0 it never answers. */
  answerWith(status: number): void;
}

export async function openLoopbackSink(): Promise<LoopbackSink> {
  const received: Event[] = [];
  let status = 202;
  const server = createServer((request, response) => {
    void take(request, response);
  });
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request);
    if (status > 0 && status < 300) received.push(decodeRequest({ headers: request.headers, body }));
    if (status > 0) response.writeHead(status).end();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The sink has no port.");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    received,
    answerWith: (next) => void (status = next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The part of a ledger the generator uses, in memory; it can be away. */
interface TestLedger extends Pick<Ledger, "accept"> {
  readonly stored: readonly Event[];
  away: boolean;
}

function createTestLedger(now: () => number = Date.now): TestLedger {
  const ledger = createMemoryLedger({ now });
  const stored: Event[] = [];
  return {
    stored,
    away: false,
    async accept(event) {
      if (this.away) throw new UnavailableError("postgres", "connection refused at 10.1.2.3");
      const acceptance = await ledger.accept(event);
      if (acceptance.outcome === "stored") stored.push(event);
      return acceptance;
    },
  };
}

/** A generator that listens on the loopback address, with all it talks to. */
export interface Rig extends AsyncDisposable {
  readonly served: Served;
  readonly sink: LoopbackSink;
  readonly ledger: TestLedger;
  /** POSTs to a path; an object is sent as JSON, text and bytes as they are. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  request(path: string, init: RequestInit): Promise<Answer>;
  /** The value of a counter, summed over its labels unless some are given. */
  count(name: string, labels?: Record<string, string>): Promise<number>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever was answered
  readonly body: any;
}

export interface RigOptions {
  readonly env?: Record<string, string>;
  readonly overrides?: Overrides;
  /** Shared with another one, as replicas do. */
  readonly ledger?: TestLedger;
  /** Told every line of the log; without it there is no log. */
  readonly log?: (line: string) => void;
}

export async function startGenerator(options: RigOptions = {}): Promise<Rig> {
  await using opening = new AsyncDisposableStack();
  const sink = opening.use(await openLoopbackSink());
  const { env = {}, overrides = {}, log, ledger = createTestLedger() } = options;
  const definition = defineGenerator(async () => ({ ledger }));
  const served = opening.use(
    await serve(definition, {
      env: {
        K_SINK: sink.url,
        AUDITFLOW_SINK_ATTEMPTS: "1",
        DATABASE_URL: "postgres://nobody@localhost/none",
        ...env,
      },
      port: 0,
      host: "127.0.0.1",
      overrides: {
        log: log === undefined ? pino({ level: "silent" }) : pino({ level: "info" }, { write: log }),
        ...overrides,
      },
    }),
  );
  const opened = opening.move();
  const request = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${served.url}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : parse(text),
    };
  };
  return {
    served,
    sink,
    ledger,
    request,
    post: (path, body, headers = {}) => request(path, { method: "POST", ...encode(body, headers) }),
    put: (path, body) =>
      request(path, { method: "PUT", ...encode(body, { "content-type": "application/json" }) }),
    async count(name, labels = {}) {
      const metric = await served.metrics.registry.getSingleMetric(name)?.get();
      const wanted = Object.entries(labels);
      const matching = (metric?.values ?? []).filter((each) =>
        wanted.every(([label, value]) => each.labels[label] === value),
      );
      return matching.reduce((sum, { value }) => sum + value, 0);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function encode(body: unknown, headers: Record<string, string>): Pick<RequestInit, "body" | "headers"> {
  if (typeof body === "string") return { body, headers };
  if (body instanceof Uint8Array) return { body: new Uint8Array(body), headers };
  return { body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
