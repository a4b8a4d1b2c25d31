import type postgres from "postgres";

import type { DependencyHandle } from "../health.ts";
import type { Log } from "../log.ts";
import { guard } from "./availability.ts";
import { runSession } from "./session.ts";
import { runTransaction } from "./transaction.ts";

export interface PostgresOptions {
  readonly url: string;
  /** The function's name; shown as `application_name`. */
  readonly name: string;
  /** Connections at most; scale times this, plus one per replica for the health check, must fit the server. */
  readonly max?: number;
  readonly health?: DependencyHandle;
  readonly log: Log;
  readonly connectTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  /** See `ConnectionOptions`. */
  readonly byIndex?: boolean;
}

/** A PostgreSQL that may be away at any time. */
export interface Postgres extends AsyncDisposable {
  /**
   * Runs statements. What may pass later is thrown as `UnavailableError("postgres")`; errors about the
   * given data are the client's `PostgresError` with their SQLSTATE in `code`. While the server is known
   * to be away, statements fail at once.
   */
  readonly sql: postgres.Sql;
  /** Runs `work` in one transaction, rolled back when it throws. Its statements run one after the other. */
  transaction<T>(work: (sql: postgres.TransactionSql) => Promise<T>): Promise<T>;
  /**
   * Runs `work` on a connection of its own, for what belongs to a session (advisory locks). The signal is
   * aborted, and the call rejects with `UnavailableError`, when that connection is lost.
   */
  session<T>(work: (sql: postgres.Sql, signal: AbortSignal) => Promise<T>): Promise<T>;
}

/**
 * Opens PostgreSQL without waiting for it: its state is probed in the background and told to `health`.
 * Needs no right to create or alter anything.
 */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const settings = {
    url: options.url,
    name: options.name,
    max: options.max ?? 4,
    health: options.health,
    log: options.log,
    connectTimeoutMs: options.connectTimeoutMs ?? 3000,
    statementTimeoutMs: options.statementTimeoutMs ?? 10_000,
    byIndex: options.byIndex,
  };
  const guarded = guard(settings);
  return {
    sql: guarded.sql,
    transaction: (work) => guarded.attempt((connection) => runTransaction(connection.pin(), work)),
    session: (work) => runSession(settings, ({ sql, signal }) => work(sql, signal)),
    [Symbol.asyncDispose]: () => guarded.close(),
  };
}
