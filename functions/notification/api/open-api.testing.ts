import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type postgres from "postgres";

import { type Access, type Principal } from "../../../runtime/access/access.ts";
import { createKeyStore } from "../../../runtime/access/key-store.ts";
import { grant, type Scope } from "../../../runtime/access/scopes.ts";
import { createLog } from "../../../runtime/log.ts";
import { createConnection } from "../../../runtime/postgres/connection.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { createSql, type Statement } from "../../../runtime/postgres/statement.ts";
import { runTransaction } from "../../../runtime/postgres/transaction.ts";
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

const channels: readonly OpenChannel[] = [{ name: "console", type: "console", send: async () => ({}) }];

export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  readonly sql: postgres.Sql;
  /** How many statements were sent since it was asked last. */
  statements(): number;
}

/** PostgreSQL on one connection, telling of every statement it sends. */
function openCounted(url: string, onStatement: () => void): Postgres {
  const connection = createConnection({
    url,
    name: "test",
    connectTimeoutMs: 3000,
    statementTimeoutMs: 10_000,
  });
  let last: Promise<unknown> = Promise.resolve();
  const execute = (statement: Statement) => {
    onStatement();
    const result = last.then(() => connection.execute(statement));
    last = result.catch(() => undefined);
    return result;
  };
  return {
    sql: createSql(execute),
    transaction: (work) => runTransaction({ execute, isLost: () => false }, work),
    session: () => Promise.reject(new Error("no session here")),
    [Symbol.asyncDispose]: () => connection.end(1000),
  };
}

/** The API behind Node's HTTP server, on a database of its own unless one is given. */
export async function openTestApi(overrides: Partial<ApiDeps> = {}, given?: string): Promise<TestApi> {
  await using opening = new AsyncDisposableStack();
  const databaseUrl = given ?? opening.use(await openTestDatabase()).url;
  const sql = opening.adopt(connect(databaseUrl), (client) => client.end({ timeout: 1 }));
  let sent = 0;
  const postgres = opening.use(openCounted(databaseUrl, () => (sent += 1)));
  const now = overrides.now ?? Date.now;
  const newId = () => crypto.randomUUID();
  const stopping = new AbortController();
  opening.defer(() => stopping.abort());
  const stream = async () =>
    new Response("retry: 3000\n\n", { headers: { "content-type": "text/event-stream" } });
  const opens = () => new Map(channels.map((channel) => [channel.name, channel]));
  const api = createApi({
    alerts: createAlertReader(postgres, now),
    desk: createDesk({ postgres, now, onOutbox: () => undefined }),
    silences: createSilences({ postgres, newId, now }),
    deadLetters: createDeadLetters({
      postgres,
      sink: async () => undefined,
      post: async () => ({ status: 500, headers: {}, body: Buffer.from("no") }),
      hosts: [],
      loopback: true,
      log,
    }),
    deliveries: createDeliveries({ postgres, channels: opens, wake: () => undefined, newId, now, log }),
    channels: {
      list: () =>
        channels.map(({ name, type }) => ({
          name,
          type,
          circuit: { state: "closed", since: "2026-11-21T12:00:00.000Z" },
        })),
    },
    keys: createKeyStore(postgres),
    idempotency: createIdempotencyStore(postgres),
    access: accessOf(),
    stream,
    predecessor: { reader: createReader(postgres), stream },
    requestsPerMinute: 0,
    docs: true,
    now,
    log,
    stopping: stopping.signal,
    ...overrides,
  });
  const server = createServer(getRequestListener((request, env) => api.fetch(request, env)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opening.defer(() => void server.close());
  opening.defer(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
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

/** Puts alerts into the store, each an alert of its own; answers their ids, newest first. */
export async function insertAlerts(sql: postgres.Sql, count: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    with made as (
      select n, overlay(overlay(md5('api alert ' || n) placing '5' from 13) placing 'a' from 17)::uuid as id, now() - n * interval '1 minute' as at,
        (array['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL'])[1 + n % 5] as severity
      from generate_series(0, ${count - 1}::integer) as n
    ), stored as (
      insert into alerts (alert_id, timestamp, received_at, alert_name, alert_type, severity, description,
        rule_id, rule_name, actor_id, server_hostname, action_observed, analysis_rule_details,
        triggered_by_details, impacted_resource_details, metadata, raw_event_data, group_id, first_seen,
        last_seen, emission_count, emission_key, correlated_at)
      select id, at, at, 'Failed logins', 'SECURITY', severity, '=1+1, "quoted"', 'rule-' || n % 7,
        'Rule ' || n % 7, 'user-' || n % 11, 'host-' || n % 3, 'user_login', '{"rule_id": "rule"}',
        '{}', '{}', '{"tags": ["one"]}', '{"user_id": "root"}', id, at, at, 1, 'k', at
      from made
    ), kept as (
      insert into alert_evidence (group_id, event_key, source, id, time)
      select id, decode(md5(id::text), 'hex'), '/test', 'event-' || n, at from made
    ), shown as (
      insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count,
        alert_name, alert_type, severity, description, rule_id, rule_name, actor_id, server_hostname,
        action_observed, tags)
      select id, at, id, at, at, at, 1, 'Failed logins', 'SECURITY', severity, '=1+1, "quoted"',
        'rule-' || n % 7, 'Rule ' || n % 7, 'user-' || n % 11, 'host-' || n % 3, 'user_login', '{one}'
      from made
    )
    select id from made order by n`;
  return rows.map(({ id }) => id);
}
