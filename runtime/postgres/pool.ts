import { connect, type Socket } from "node:net";
import postgres from "postgres";

/** How connections behave; every duration in milliseconds. */
export interface PoolOptions {
  readonly url: string;
  /** `application_name`: who it is in `pg_stat_activity`. */
  readonly name: string;
  readonly max: number;
  readonly connectTimeoutMs: number;
  /** 0 switches it off. */
  readonly statementTimeoutMs: number;
  readonly onClose?: () => void;
}

export interface Pool {
  readonly sql: postgres.Sql;
  /** Waits for statements under way, at most `waitMs`, then closes every connection. */
  end(waitMs: number): Promise<void>;
}

/** A transaction that does nothing for this long is rolled back, so that it cannot hold locks for ever. */
export const idleInTransactionMs = 20_000;

const keepAliveSeconds = 30;

/**
 * A pool that connects when it is first used.
 *
 * Types are not fetched at connect (one round trip less per connection); arrays are passed as text, see
 * `arrayLiteral`.
 */
export function createPool(options: PoolOptions): Pool {
  const sockets = new Set<Socket>();
  // An option the client knows and its types do not.
  const untyped = { socket: trackSockets(sockets) };
  const sql = postgres(options.url, {
    ...untyped,
    max: options.max,
    connect_timeout: options.connectTimeoutMs / 1000,
    keep_alive: keepAliveSeconds,
    // Reconnecting is paced by the health check, which fails fast what is asked meanwhile.
    backoff: () => 0.05,
    fetch_types: false,
    onnotice: () => undefined,
    ...(options.onClose && { onclose: options.onClose }),
    connection: {
      application_name: options.name,
      statement_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
    },
  });
  return {
    sql,
    async end(waitMs) {
      await sql.end({ timeout: waitMs / 1000 });
      // The client says goodbye and waits; a peer that is gone would keep the socket for many minutes.
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/**
 * Opens the client's sockets, so that they can be destroyed. A socket is handed over while it still
 * connects: what is written is buffered, and a failure arrives as `error` and `close`, which the client
 * handles (a factory that rejects would leave it waiting for ever).
 */
function trackSockets(sockets: Set<Socket>) {
  let next = 0;
  return ({ host, port, path }: Address): Socket => {
    for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
    const index = next++ % host.length;
    const address = { host: host[index] ?? "localhost", port: port[index] ?? 5432 };
    const socket = path ? connect(path) : connect(address);
    sockets.add(socket);
    // The client names the server by these, in TLS and in errors.
    return path ? socket : Object.assign(socket, address);
  };
}

/** An array as PostgreSQL reads it in text form; cast the parameter: `${arrayLiteral(ids)}::text[]`. */
export function arrayLiteral(values: readonly (string | number | Buffer | null)[]): string {
  return `{${values.map(arrayElement).join(",")}}`;
}

function arrayElement(value: string | number | Buffer | null): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return `"\\\\x${value.toString("hex")}"`;
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
