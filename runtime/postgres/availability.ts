import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import type { DependencyHandle } from "../health.ts";
import type { Log } from "../log.ts";
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  idleInTransactionMs,
} from "./connection.ts";
import { createProber } from "./prober.ts";
import { createSlots } from "./slots.ts";
import { isConnectionError, toFailure } from "./sqlstate.ts";
import { createSql } from "./statement.ts";

export interface Guarded {
  readonly sql: postgres.Sql;
  /** Runs `work` on a connection, failing at once while the server is known to be away. */
  attempt<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface GuardOptions extends ConnectionOptions {
  readonly max: number;
  readonly health?: DependencyHandle | undefined;
  readonly log: Log;
}

/** A statement or transaction that takes longer makes the server be looked at. */
const slowMs = 2000;

/** How long the goodbye may take: what runs is waited for, then connections are cut. */
const closeMs = 5000;

/**
 * Keeps connections usable over a server that comes and goes.
 *
 * The probe alone decides between up and down; a failing statement only hastens it. Down means that every
 * connection is cut, so that whatever runs fails now, and new statements fail at once; the first probe that
 * succeeds lets them through again. So one lost connection does not take its neighbours along, and an
 * outage does not pile up callers.
 */
export function guard(options: GuardOptions): Guarded {
  const connections = Array.from({ length: options.max }, () => createConnection(options));
  const current = createSwitch(options, connections);
  let answeredMs = 0;
  const prober = createProber(options, {
    answeredMs: () => answeredMs,
    tell: (failure) => (failure === undefined ? current.setUp() : current.setDown(failure)),
  });
  const slots = createSlots({
    connections,
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

  async function perform<T>(work: (connection: Connection) => Promise<T>, hungMs: number): Promise<T> {
    current.refuse();
    using slot = await slots.take(hungMs);
    current.refuse();
    try {
      const result = await work(slot.connection);
      answeredMs = performance.now();
      return result;
    } catch (error) {
      if (!isConnectionError(error)) throw toFailure(error);
      prober.hasten();
      // What was found wrong with the server says more than that we cut the connection because of it.
      current.refuse();
      throw toFailure(error);
    }
  }

  return {
    sql: createSql((statement) => perform((connection) => connection.execute(statement), statementMs)),
    attempt: (work) => perform(work, transactionMs),
    async close() {
      prober.stop();
      current.close();
      await Promise.all(connections.map((connection) => connection.end(closeMs)));
      slots.stop();
    },
  };
}

/** Whether the connections may be used. */
function createSwitch({ health, log }: GuardOptions, connections: readonly Connection[]) {
  let refusal: UnavailableError | undefined;
  let closed = false;
  return {
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
      const wasUp = !refusal;
      refusal = failure instanceof UnavailableError ? failure : unavailable(reason);
      health?.down(refusal.message);
      if (!wasUp) return;
      log.warn({ reason: refusal.message }, "PostgreSQL is away.");
      for (const connection of connections) connection.reset();
    },
    close() {
      closed = true;
      refusal = new UnavailableError("postgres", "The store is closed.");
    },
  };
}

function unavailable(reason: unknown): UnavailableError {
  const message = reason instanceof Error ? reason.message : String(reason);
  return new UnavailableError("postgres", `PostgreSQL is unavailable: ${message}`, { cause: reason });
}
