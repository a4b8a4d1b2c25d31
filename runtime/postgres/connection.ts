import { connect, type Socket } from "node:net";
import postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import { isConnectionError } from "./sqlstate.ts";
import { isStatement, run, type Statement } from "./statement.ts";

/** How connections behave. */
export interface ConnectionOptions {
  readonly url: string;
  /** `application_name`: who it is in `pg_stat_activity`. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  /** 0 switches it off. */
  readonly statementTimeoutMs: number;
  /**
   * Whether statements go by indexes wherever there is one. For those that write: their plans are kept, and
   * one made while tables are new, and thought to be tiny, walks them whole when they have grown.
   */
  readonly byIndex?: boolean | undefined;
  /** Called with the channel of every notification that the connection listens to. */
  readonly onNotify?: (channel: string) => void;
}

/**
 * One connection, made when it is first used and again after it was lost.
 *
 * The client is never allowed to reconnect. Version 3.4 keeps unsent bytes, the current statement and a
 * transaction's state over a reconnection: a `rollback` sent to a lost connection ends the process, a
 * statement of a broken transaction may run outside of any, and a connection may stay unusable for ever.
 * So there is one client per connection, one statement at a time, and at the first sign of loss the client
 * is dropped.
 */
export interface Connection {
  /** Runs one statement; the caller waits for it before it runs the next one. */
  execute(statement: Statement): Promise<unknown>;
  /**
   * Binds to the connection as it is now: once it is lost, statements fail instead of running on its
   * successor. For transactions and sessions.
   */
  pin(onLost?: () => void): Pinned;
  /** Cuts the connection: what runs on it fails now. */
  reset(): void;
  /** Waits for what runs, at most `waitMs`, and closes. */
  end(waitMs: number): Promise<void>;
}

export interface Pinned extends Pick<Connection, "execute"> {
  isLost(): boolean;
}

/** A transaction that does nothing for this long is rolled back, so that it cannot hold locks for ever. */
export const idleInTransactionMs = 20_000;

const keepAliveSeconds = 30;

interface Client {
  readonly sql: postgres.Sql;
  readonly handler: Statement["handler"];
  readonly sockets: Set<Socket>;
  /** Called once, synchronously, when it is lost. */
  readonly onLost: Set<() => void>;
}

export function createConnection(options: ConnectionOptions): Connection {
  let client: Client | undefined;

  function current(): Client {
    client ??= createClient(options, drop);
    return client;
  }

  function drop(lost: Client) {
    if (client === lost) client = undefined;
    for (const tell of lost.onLost) tell();
    lost.onLost.clear();
    void close(lost, 0);
  }

  async function executeOn(target: Client, statement: Statement): Promise<unknown> {
    const onFailure = (error: unknown) => {
      // Under TLS this is the first we hear of it.
      if (isConnectionError(error)) drop(target);
    };
    return run(statement, target.handler, onFailure);
  }

  return {
    execute: (statement) => executeOn(current(), statement),
    pin(onLost) {
      const pinned = current();
      let isLost = false;
      pinned.onLost.add(() => {
        isLost = true;
        onLost?.();
      });
      return {
        isLost: () => isLost,
        async execute(statement) {
          if (isLost) throw new UnavailableError("postgres", "The connection to PostgreSQL was lost.");
          return executeOn(pinned, statement);
        },
      };
    },
    reset() {
      if (client) drop(client);
    },
    async end(waitMs) {
      if (client) await close(client, waitMs);
    },
  };
}

async function close({ sql, sockets }: Client, waitMs: number): Promise<void> {
  await sql.end({ timeout: waitMs / 1000 });
  // The client says goodbye and waits; a peer that is gone would keep the socket for many minutes.
  for (const socket of sockets) socket.destroy();
}

/** Types are not fetched at connect (one round trip less); arrays are passed as text, see `arrayLiteral`. */
function createClient(options: ConnectionOptions, onLost: (client: Client) => void): Client {
  const sockets = new Set<Socket>();
  const lose = () => onLost(client);
  // Options the client knows and its types do not.
  const untyped = { socket: openSockets(sockets, lose), onnotify: options.onNotify };
  const sql = postgres(options.url, {
    ...untyped,
    max: 1,
    max_lifetime: null,
    connect_timeout: options.connectTimeoutMs / 1000,
    keep_alive: keepAliveSeconds,
    fetch_types: false,
    onnotice: () => undefined,
    onclose: lose,
    connection: {
      application_name: options.name,
      statement_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      // Statements over many partitions are taken for expensive, and compiling one took seconds where running
      // it takes milliseconds.
      jit: "off",
      ...(options.byIndex ? { enable_seqscan: "off" } : {}),
    },
  });
  const client: Client = { sql, handler: handlerOf(sql), sockets, onLost: new Set() };
  return client;
}

/** The function through which the client takes a statement. */
function handlerOf(sql: postgres.Sql): Statement["handler"] {
  const statement: unknown = sql.unsafe("");
  if (isStatement(statement)) return statement.handler;
  throw new Error("The PostgreSQL client no longer works the way this file relies on.");
}

interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/**
 * Opens the client's sockets, so that they can be destroyed and their errors are seen before the client
 * sees them. A socket is handed over while it still connects: what is written is buffered, and a failure
 * arrives as `error` and `close`, which the client handles (a factory that rejects would leave it waiting
 * for ever).
 */
function openSockets(sockets: Set<Socket>, onError: () => void) {
  let next = 0;
  return ({ host, port, path }: Address): Socket => {
    const index = next++ % host.length;
    const address = { host: host[index] ?? "localhost", port: port[index] ?? 5432 };
    const socket = path ? connect(path) : connect(address);
    sockets.add(socket);
    socket.once("error", onError);
    // The client names the server by these, in TLS and in errors.
    return path ? socket : Object.assign(socket, address);
  };
}
