import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { BrokerUnavailableError, type Broker, type BrokerObserver, type Message } from "./broker.ts";
import { MessageError } from "./ingress-rules.ts";
import { readDraft, toMessage } from "./message.ts";

/** What RabbitMQ takes by default since version 4.0. */
const maxBodyBytes = 16 * 1024 * 1024;

export interface IngressDeps {
  /** Stores an event for every Trigger that wants it. */
  readonly publish: (message: Message) => ReturnType<Broker["publish"]>;
  readonly observer: BrokerObserver;
}

export interface Ingress {
  /** The status an event is answered with: 202 once it is stored, 503 while it cannot be, else 500. */
  readonly accept: (message: Message) => Promise<number>;
  readonly listen: (at: { readonly port: number; readonly host: string }) => Promise<ListeningIngress>;
}

/** Disposing it answers what is in flight and closes. */
interface ListeningIngress extends AsyncDisposable {
  readonly port: number;
}

/**
 * The Broker's door, with the answers of the Knative RabbitMQ Broker's: 405 for any method but POST, 404
 * for any URL but `/`, 400 for what is no event, 202 once it is stored or nobody wants it. Ours adds 413
 * for bodies RabbitMQ would not take, and 503 with `Retry-After` while the broker is away.
 */
export function createIngress({ publish, observer }: IngressDeps): Ingress {
  const accept: Ingress["accept"] = async (message) => {
    try {
      const { routed } = await publish(message);
      observer.onPublished?.(routed ? "stored" : "unroutable", message);
      return 202;
    } catch (error) {
      observer.onPublished?.("failed", message, error);
      return error instanceof BrokerUnavailableError ? 503 : 500;
    }
  };

  async function statusOf(request: IncomingMessage): Promise<number> {
    if (request.method !== "POST") return 405;
    if (request.url !== "/") return 404;
    try {
      const body = await readBody(request);
      if (body === undefined) {
        observer.onPublished?.("refused", undefined, new Error(`the body exceeds ${maxBodyBytes} bytes`));
        return 413;
      }
      const draft = readDraft({ headers: request.headersDistinct, body });
      if (!draft) throw new MessageError("the request is no CloudEvent");
      return await accept(toMessage(draft));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      observer.onPublished?.("refused", undefined, error);
      return 400;
    }
  }

  return {
    accept,
    listen: async ({ port, host }) => {
      let draining = false;
      // Larger than what is accepted, so that the refusal is a 400 of ours and not the parser's 431.
      const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
        const answer = (status: number) => {
          // A kept connection would hold up the end of a drain.
          if (draining) response.setHeader("connection", "close");
          writeAnswer(response, status);
        };
        if (isProbe(request)) return answer(draining ? 503 : 200);
        // Rejects only when the client went away before its body was read: there is nobody to answer.
        void statusOf(request).then(answer, () => response.destroy());
      });
      server.requestTimeout = 10_000;
      server.headersTimeout = 10_000;
      server.keepAliveTimeout = 60_000;
      server.listen(port, host);
      await once(server, "listening");
      return {
        port: portOf(server),
        async [Symbol.asyncDispose]() {
          draining = true;
          const closed = once(server, "close");
          server.close();
          server.closeIdleConnections();
          await closed;
        },
      };
    },
  };
}

function isProbe({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && (headers["user-agent"] ?? "").startsWith("kube-probe/");
}

function writeAnswer(response: ServerResponse, status: number): void {
  if (status === 503) response.setHeader("retry-after", "1");
  // The rest of a body that is too long is not read, so the connection cannot be used again.
  if (status === 413) response.setHeader("connection", "close");
  response.writeHead(status, { "content-length": 0 }).end();
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the ingress has no port");
  return address.port;
}
