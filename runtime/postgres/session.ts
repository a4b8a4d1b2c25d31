import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import { type ConnectionOptions, createConnection, type Pinned } from "./connection.ts";
import { toFailure } from "./sqlstate.ts";
import { createSerialSql } from "./transaction.ts";

/** What belongs to one connection for as long as it lives. */
export interface Session {
  readonly sql: postgres.Sql;
  readonly connection: Pinned;
  /** Aborted when the connection is lost. */
  readonly signal: AbortSignal;
}

/** How often a session is asked whether it is alive. */
const heartbeatMs = 3000;

/**
 * Runs `work` on a connection of its own. The connection is asked for a sign of life throughout; when it is
 * lost, the signal is aborted and the call rejects at once, for what the session stood for (a lock) may
 * already belong to somebody else.
 */
export async function runSession<T>(
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const whenLost = Promise.withResolvers<never>();
  const lose = () => {
    const reason = new UnavailableError("postgres", "The connection of the session was lost.");
    lost.abort(reason);
    whenLost.reject(reason);
  };
  const own = createConnection(options);
  const connection = own.pin(lose);
  const sql = createSerialSql(connection);
  const heart = beat(sql, { limitMs: options.statementTimeoutMs, lose });
  try {
    return await Promise.race([work({ sql, connection, signal: lost.signal }), whenLost.promise]);
  } catch (error) {
    throw toFailure(error);
  } finally {
    clearInterval(heart);
    // The end of the session is no loss.
    whenLost.promise.catch(() => undefined);
    await own.end(0);
  }
}

/** A statement in progress is a sign of life too, as long as the server would let it run. */
function beat(
  sql: postgres.Sql,
  { limitMs, lose }: { readonly limitMs: number; readonly lose: () => void },
): NodeJS.Timeout {
  let waitingMs: number | undefined;
  return setInterval(() => {
    if (waitingMs !== undefined) {
      waitingMs += heartbeatMs;
      if (limitMs > 0 && waitingMs > limitMs) lose();
      return;
    }
    waitingMs = 0;
    sql`select 1`.then(() => (waitingMs = undefined), lose);
  }, heartbeatMs).unref();
}
