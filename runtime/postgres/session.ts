import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import { createPool, type PoolOptions } from "./pool.ts";
import { toFailure } from "./sqlstate.ts";

/** How often a session is asked whether it is alive. */
const heartbeatMs = 3000;

/**
 * Runs `work` on a connection of its own. The connection is asked for a sign of life throughout; when it is
 * lost, the signal is aborted and the call rejects at once, for what the session stood for (a lock) may
 * already belong to somebody else.
 */
export async function runSession<T>(
  options: PoolOptions,
  work: (sql: postgres.Sql, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const lose = () => lost.abort(new UnavailableError("postgres", "The connection of the session was lost."));
  const pool = createPool({ ...options, max: 1, onClose: lose });
  const whenLost = Promise.withResolvers<never>();
  lost.signal.addEventListener("abort", () => whenLost.reject(lost.signal.reason));
  const heart = beat(pool.sql, options.statementTimeoutMs, lose);
  try {
    return await Promise.race([work(pool.sql, lost.signal), whenLost.promise]);
  } catch (error) {
    throw toFailure(error);
  } finally {
    clearInterval(heart);
    whenLost.promise.catch(() => undefined);
    await pool.end(0);
  }
}

function beat(sql: postgres.Sql, limitMs: number, lose: () => void): NodeJS.Timeout {
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
