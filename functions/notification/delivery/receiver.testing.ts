import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { createLog } from "../../../runtime/log.ts";
import type { OpenChannel } from "../channels/channel.ts";
import { createChannelDeps } from "../channels/deps.ts";
import { createWebhook } from "../channels/webhook.ts";

/** What the receiver answers; `undefined` hangs up without a word. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Answering = (id: string, nth: number) => Answer | undefined | Promise<Answer | undefined>;

/** Somebody who is told, over HTTP on loopback. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The `webhook-id` of every request, in the order of arrival. */
  readonly requests: readonly string[];
  /** How often each id was answered 2xx. */
  readonly accepted: ReadonlyMap<string, number>;
  /** Replaces how it answers; `nth` counts the requests of one id, from 1. */
  answer: Answering;
}

export async function openReceiver(answer: Answering = () => ({ status: 204 }), port = 0): Promise<Receiver> {
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const accepted = new Map<string, number>();
  const receiver = { answer };
  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for await (const _chunk of request);
    const id = String(request.headers["webhook-id"]);
    const nth = (counts.get(id) ?? 0) + 1;
    requests.push(id);
    counts.set(id, nth);
    const given = await receiver.answer(id, nth);
    if (!given) {
      request.socket.destroy();
      return;
    }
    if (given.status < 300) accepted.set(id, (accepted.get(id) ?? 0) + 1);
    response.writeHead(given.status, given.headers).end(given.body);
  }
  const server = createServer((request, response) => {
    // A client that hangs up is none of our business.
    reply(request, response).catch(() => response.destroy());
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the receiver has no port");
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${address.port}/`,
    port: address.port,
    requests,
    accepted,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

/** A webhook channel to a receiver. */
export function openWebhookTo(url: string, { name = "webhook", timeoutMs = 5000 } = {}): OpenChannel {
  const secret = `whsec_${randomBytes(24).toString("base64")}`;
  const deps = createChannelDeps({
    now: () => Date.now(),
    log: createLog({ name: "test", level: "silent" }),
    allow: ["127.0.0.1"],
    readSecret: () => secret,
  });
  const send = createWebhook({ readUrl: () => url, readSecrets: [() => secret], timeoutMs }, deps);
  return { name, type: "webhook", send };
}
