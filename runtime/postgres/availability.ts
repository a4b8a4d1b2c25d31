import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import type { DependencyHandle } from "../health.ts";
import type { Log } from "../log.ts";
import { createPool, type Pool, type PoolOptions } from "./pool.ts";
import { isConnectionError, isExhausted, toFailure } from "./sqlstate.ts";
import { createStatementWatch } from "./statement-watch.ts";

export interface Guarded {
  readonly sql: postgres.Sql;
  /** Runs `work` on the pool, failing at once while the server is known to be away. */
  attempt<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Between two looks at a server that is up, and the shortest and longest between two tries at one that is not. */
const probeMs = { up: 10_000, first: 100, longest: 2000 };

/** How long the goodbye may take: what runs is waited for, then connections are cut. */
const closeMs = 5000;

/**
 * Keeps a pool usable over a server that comes and goes.
 *
 * The probe alone decides between up and down; a failing statement only hastens it. Down means the pool is
 * thrown away, so that whatever waits in it fails now, and new statements fail at once; the first probe
 * that succeeds brings a fresh pool. So one lost connection does not take its neighbours along, and an
 * outage does not pile up callers.
 */
export function guard(
  options: PoolOptions,
  { health, log }: { readonly health?: DependencyHandle; readonly log: Log },
): Guarded {
  let pool = createPool(options);
  let down: UnavailableError | undefined;
  let closed = false;
  const prober = createProber(options, (failure) => {
    if (closed) return;
    if (failure === undefined) setUp();
    else setDown(failure);
  });
  const watch = createStatementWatch({
    statementMs: options.statementTimeoutMs + 2000,
    onSlow: () => prober.hasten(),
    onHung: () => setDown(new Error("a connection stopped answering")),
  });

  function setUp() {
    if (down) log.info("PostgreSQL is back.");
    down = undefined;
    health?.up();
  }

  function setDown(reason: unknown) {
    const failure = toFailure(reason);
    const away = failure instanceof UnavailableError ? failure : unavailable(reason);
    if (!down) log.warn({ reason: away.message }, "PostgreSQL is away.");
    down = away;
    health?.down(away.message);
    const lost = pool;
    pool = createPool(options);
    void lost.end(0);
    prober.hasten();
  }

  function refuse(): UnavailableError | undefined {
    return closed ? new UnavailableError("postgres", "The store is closed.") : down;
  }

  function fail(error: unknown): unknown {
    if (isConnectionError(error)) prober.hasten();
    return toFailure(error);
  }

  return {
    sql: watch.wrap(() => pool.sql, { refuse, fail }),
    async attempt(work) {
      const refused = refuse();
      if (refused) throw refused;
      using _ = watch.transaction();
      try {
        return await work(pool.sql);
      } catch (error) {
        throw fail(error);
      }
    },
    async close() {
      closed = true;
      watch.stop();
      prober.stop();
      await pool.end(closeMs);
    },
  };
}

function unavailable(reason: unknown): UnavailableError {
  const message = reason instanceof Error ? reason.message : String(reason);
  return new UnavailableError("postgres", `PostgreSQL is unavailable: ${message}`, { cause: reason });
}

/** Looks at the server in the background, on a connection of its own each time. */
function createProber(options: PoolOptions, tell: (failure: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  let failures = 0;
  let stopped = false;
  const plan = (ms: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), ms).unref();
  };
  async function run() {
    running = true;
    again = false;
    const failure = await probe(options);
    running = false;
    // A server with no connection to spare is there: the pool's own connections still work.
    const up = failure === undefined || isExhausted(failure);
    failures = up ? 0 : failures + 1;
    tell(up ? undefined : failure);
    if (up) plan(again ? probeMs.first : probeMs.up);
    else plan(Math.min(probeMs.longest, probeMs.first * 2 ** Math.min(failures - 1, 10)));
  }
  void run();
  return {
    /** Looks now, unless it is looking already or is pacing itself against a server that is down. */
    hasten() {
      if (running) again = true;
      else if (failures === 0) plan(0);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** What is wrong with the server; `undefined` when it answers. */
export async function probe(options: PoolOptions): Promise<unknown> {
  const pool: Pool = createPool({ ...options, max: 1, statementTimeoutMs: options.connectTimeoutMs });
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(
      new UnavailableError("postgres", `PostgreSQL did not answer in ${options.connectTimeoutMs} ms`),
    );
  }, options.connectTimeoutMs);
  try {
    await Promise.race([pool.sql`select 1`, timeout.promise]);
    return undefined;
  } catch (error) {
    return error ?? new Error("unknown failure");
  } finally {
    clearTimeout(timer);
    await pool.end(0);
  }
}
