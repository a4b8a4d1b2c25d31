import type postgres from "postgres";
import { expect } from "vitest";

import { createLog } from "../../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../../runtime/postgres/postgres.ts";
import { connect, openTestDatabase } from "../../../../test/support/database.ts";
import { readStream, type StreamReader } from "./reader.testing.ts";
import { type AlertStream, createAlertStream, type StreamDeps } from "./stream.ts";

const log = createLog({ name: "test", level: "silent" });
export const patience = { timeout: 20_000, interval: 20 };

/** A row as the predecessor's stream carries it. */
export const row = {
  timestamp: "",
  received_at: "",
  count: 1,
  first_seen: "",
  last_seen: "",
  status: "open",
};

export interface OpenOptions {
  readonly limits?: StreamDeps["limits"];
  /** Where it listens; the database of the rig when left out. */
  readonly url?: string;
  /** Told the ids of rows that are read. */
  readonly onRead?: (ids: readonly string[]) => void;
  /** Instead of the store whose statements are noted. */
  readonly store?: Postgres;
}

/** A database, and streams of its alerts whose statements are noted. */
export interface StreamRig extends AsyncDisposable {
  readonly store: Postgres;
  /** Past the streams. */
  readonly admin: postgres.Sql;
  /** Statements since the last `forget`. */
  readonly statements: readonly string[];
  forget(): void;
  /** How often streams asked for changes. */
  looks(): number;
  open(options?: OpenOptions): AlertStream;
  /** Ends all streams with a goodbye. */
  stop(): void;
  /** How many connections listen. */
  listeners(): Promise<number>;
  /** A connection of its own, past the streams. */
  connect(): postgres.Sql;
  /** Resolves when none listens. */
  untilDeaf(): Promise<void>;
  /** Resolves when one listens, and has looked because of it. */
  untilListening(): Promise<void>;
}

export async function openStreamRig(): Promise<StreamRig> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await openTestDatabase());
  const admin = opening.adopt(connect(database.url), (sql) => sql.end());
  const store = opening.use(await openPostgres({ url: database.url, name: "test", max: 4, log }));
  const statements: string[] = [];
  let stopping = new AbortController();
  const noting = (sql: postgres.Sql) => {
    const noted = (strings: TemplateStringsArray, ...values: never[]) => {
      statements.push(strings.join("?"));
      return sql(strings, ...values);
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- streams use it as a tag alone
    return Object.assign(noted, sql) as postgres.Sql;
  };
  const looks = () => statements.filter((text) => text.includes("pg_visible_in_snapshot")).length;
  const listeners = async () => {
    const rows = await admin`
      select from pg_stat_activity
      where application_name = 'notification-stream' and datname = current_database()`;
    return rows.length;
  };
  const opened = opening.move();
  return {
    store,
    admin,
    statements,
    forget: () => void statements.splice(0),
    looks,
    open: ({ limits = {}, url = database.url, onRead, store: other } = {}) =>
      createAlertStream({
        postgres: other ?? { sql: noting(store.sql) },
        url,
        async readRows(ids) {
          onRead?.(ids);
          return ids.map((alert_id) => ({ ...row, alert_id }));
        },
        log,
        stopping: stopping.signal,
        limits,
      }),
    stop() {
      stopping.abort();
      stopping = new AbortController();
    },
    listeners,
    connect: () => connect(database.url),
    untilDeaf: async () => {
      await expect.poll(listeners, patience).toBe(0);
    },
    async untilListening() {
      await expect.poll(listeners, patience).toBe(1);
      await expect.poll(looks, patience).toBeGreaterThanOrEqual(2);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export function ask(lastEventId?: string): Request {
  const headers = new Headers(lastEventId === undefined ? {} : { "last-event-id": lastEventId });
  return new Request("http://localhost/api/v1/stream", { headers });
}

/** Opens a stream and reads it. */
export async function join(stream: AlertStream, lastEventId?: string): Promise<StreamReader> {
  const response = await stream.handler(ask(lastEventId));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  return readStream(response);
}
