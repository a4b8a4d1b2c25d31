import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import type { DependencyHandle } from "../health.ts";
import type { Log } from "../log.ts";
import { createPool, idleInTransactionMs, type PoolOptions } from "./pool.ts";
import { createSlots } from "./slots.ts";
import { createProber } from "./prober.ts";
import { isConnectionError, toFailure } from "./sqlstate.ts";
import { wrapSql } from "./statement.ts";

export interface Guarded {
  readonly sql: postgres.Sql;
  /** Runs `work` on the pool, failing at once while the server is known to be away. */
  attempt<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A statement or transaction that takes longer makes the server be looked at. */
const slowMs = 2000;

/** How long the goodbye may take: what runs is waited for, then connections are cut. */
const closeMs = 5000;

/**
 * Keeps a pool usable over a server that comes and goes.
 *
 * The probe alone decides between up and down; a failing statement only hastens it. Down means the pool is
 * thrown away, so that whatever runs in it fails now, and new statements fail at once; the first probe that
 * succeeds lets them through again. So one lost connection does not take its neighbours along, and an
 * outage does not pile up callers.
 */
export function guard(options: PoolOptions, { health, log }: Reporting): Guarded {
  const current = createSwitch(options, { health, log });
  const prober = createProber(options, (failure) => {
    if (failure === undefined) current.setUp();
    else current.setDown(failure);
  });
  const slots = createSlots({
    max: options.max,
    slowMs,
    onSlow: () => prober.hasten(),
    onHung: () => {
      current.setDown(new Error("a connection stopped answering"));
      prober.hasten();
    },
  });
  // The server ends a statement, and a transaction that idles, before this.
  const statementMs = options.connectTimeoutMs + options.statementTimeoutMs + 2000;
  const transactionMs = statementMs + idleInTransactionMs;

  async function perform<T>(work: () => Promise<T>, hungMs: number): Promise<T> {
    current.refuse();
    using _ = await slots.take(hungMs);
    current.refuse();
    try {
      return await work();
    } catch (error) {
      if (isConnectionError(error)) prober.hasten();
      throw toFailure(error);
    }
  }

  return {
    sql: wrapSql(current.sql, (work) => perform(work, statementMs)),
    attempt: (work) => perform(() => work(current.sql()), transactionMs),
    async close() {
      prober.stop();
      await current.close();
      slots.stop();
    },
  };
}

interface Reporting {
  readonly health?: DependencyHandle | undefined;
  readonly log: Log;
}

/** The pool of the moment, and whether it may be used. */
function createSwitch(options: PoolOptions, { health, log }: Reporting) {
  let pool = createPool(options);
  let refusal: UnavailableError | undefined;
  let closed = false;
  return {
    sql: () => pool.sql,
    refuse() {
      if (refusal) throw refusal;
    },
    setUp() {
      if (closed) return;
      if (refusal) log.info("PostgreSQL is back.");
      refusal = undefined;
      health?.up();
    },
    setDown(reason: unknown) {
      if (closed) return;
      const failure = toFailure(reason);
      const away = failure instanceof UnavailableError ? failure : unavailable(reason);
      const wasUp = !refusal;
      refusal = away;
      health?.down(away.message);
      if (!wasUp) return;
      log.warn({ reason: away.message }, "PostgreSQL is away.");
      const lost = pool;
      pool = createPool(options);
      void lost.end(0);
    },
    async close() {
      closed = true;
      refusal = new UnavailableError("postgres", "The store is closed.");
      await pool.end(closeMs);
    },
  };
}

function unavailable(reason: unknown): UnavailableError {
  const message = reason instanceof Error ? reason.message : String(reason);
  return new UnavailableError("postgres", `PostgreSQL is unavailable: ${message}`, { cause: reason });
}
