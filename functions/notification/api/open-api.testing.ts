import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type postgres from "postgres";

import { type Access, type Principal } from "../../../runtime/access/access.ts";
import { createKeyStore } from "../../../runtime/access/key-store.ts";
import { grant, type Scope } from "../../../runtime/access/scopes.ts";
import { createLog } from "../../../runtime/log.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { connect, openTestDatabase } from "../../../test/support/database.ts";
import type { OpenChannel } from "../channels/channel.ts";
import { createDeadLetters } from "../dead-letters/dead-letters.ts";
import { createDeliveries } from "../delivery/deliveries.ts";
import { createDesk } from "../life-cycle/desk.ts";
import { createSilences } from "../silences/silences.ts";
import { createAlertReader } from "../store/list/alert-reader.ts";
import { createReader } from "../store/reader.ts";
import { createApi } from "./app.ts";
import type { ApiDeps } from "./deps.ts";
import { openCounted } from "./counted-postgres.testing.ts";
import { createIdempotencyStore } from "./idempotency-store.ts";

const log = createLog({ name: "test", level: "silent" });

/** Lets everybody in without asking, or as a caller with these scopes. */
export function accessOf(caller?: { readonly id: string; readonly scopes: readonly Scope[] }): Access {
  const principal: Principal = caller
    ? { type: "key", id: caller.id, scopes: grant(caller.scopes) }
    : { type: "anonymous", id: "anonymous", scopes: grant(["admin"]) };
  return {
    authenticate: async () => principal,
    addressOf: () => "192.0.2.1",
    notice: undefined,
    mode: caller ? "login" : "local",
  };
}

const channel: OpenChannel = { name: "console", type: "console", send: async () => ({}) };

export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  readonly sql: postgres.Sql;
  /** How many statements were sent since it was asked last. */
  statements(): number;
}

/** What the API works with, on this database. */
function depsOf(postgres: Postgres, { now = Date.now }: Partial<ApiDeps>): Omit<ApiDeps, "stopping"> {
  return {
    alerts: createAlertReader(postgres, now),
    desk: createDesk({ postgres, now, onOutbox: () => undefined }),
    silences: createSilences({ postgres, newId: randomUUID, now }),
    deadLetters: createDeadLetters({
      postgres,
      sink: async () => undefined,
      post: async () => ({ status: 500, headers: {}, body: Buffer.from("no") }),
      hosts: [],
      loopback: true,
      log,
    }),
    deliveries: createDeliveries({
      postgres,
      channels: () => new Map([[channel.name, channel]]),
      wake: () => undefined,
      newId: randomUUID,
      now,
      log,
    }),
    channels: { list: () => [{ name: channel.name, type: channel.type, circuit: closed }] },
    keys: createKeyStore(postgres),
    idempotency: createIdempotencyStore(postgres),
    access: accessOf(),
    stream: quietStream,
    predecessor: { reader: createReader(postgres), stream: quietStream },
    requestsPerMinute: 0,
    docs: true,
    now,
    log,
  };
}

const closed = { state: "closed", since: "2026-11-21T12:00:00.000Z" } as const;

async function quietStream(): Promise<Response> {
  return new Response("retry: 3000\n\n", { headers: { "content-type": "text/event-stream" } });
}

/** The API behind Node's HTTP server, on a database of its own unless one is given. */
export async function openTestApi(overrides: Partial<ApiDeps> = {}, given?: string): Promise<TestApi> {
  await using opening = new AsyncDisposableStack();
  const databaseUrl = given ?? opening.use(await openTestDatabase()).url;
  const sql = opening.adopt(connect(databaseUrl), (client) => client.end({ timeout: 1 }));
  let sent = 0;
  const postgres = opening.use(openCounted(databaseUrl, () => (sent += 1)));
  const stopping = new AbortController();
  opening.defer(() => stopping.abort());
  const api = createApi({ ...depsOf(postgres, overrides), stopping: stopping.signal, ...overrides });
  const listen = getRequestListener((request, env) => api.fetch(request, env));
  const server = createServer((request, response) => void listen(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opening.defer(() => void server.close());
  opening.defer(() => server.closeAllConnections());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const all = opening.move();
  return {
    url: `http://127.0.0.1:${port}`,
    databaseUrl,
    sql,
    statements() {
      const seen = sent;
      sent = 0;
      return seen;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
