import { UnavailableError } from "../failure.ts";
import { type ConnectionOptions, createConnection } from "./connection.ts";
import { isExhausted } from "./sqlstate.ts";
import { createSql } from "./statement.ts";

/** Between two looks at a server that is up, and the shortest and longest between two tries at one that is not. */
const probeMs = { up: 10_000, first: 100, longest: 2000 };

interface Listener {
  /** `undefined` when the server is up. */
  readonly tell: (failure: unknown) => void;
  /** When the server last answered somebody, by `performance.now()`. */
  readonly answeredMs: () => number;
}

/**
 * Looks at the server in the background, on a connection of its own each time. A server that answers a
 * statement meanwhile is up, whatever became of the look: on a busy machine that may just be slow.
 */
export function createProber(options: ConnectionOptions, { tell, answeredMs }: Listener) {
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
    const startedMs = performance.now();
    const failure = await probe(options);
    running = false;
    // A server with no connection to spare is there: the pool's own connections still work.
    const up = failure === undefined || isExhausted(failure) || answeredMs() > startedMs;
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
export async function probe(options: ConnectionOptions): Promise<unknown> {
  const connection = createConnection({ ...options, statementTimeoutMs: options.connectTimeoutMs });
  const sql = createSql((statement) => connection.execute(statement));
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(
      new UnavailableError("postgres", `PostgreSQL did not answer in ${options.connectTimeoutMs} ms`),
    );
  }, options.connectTimeoutMs);
  try {
    await Promise.race([sql`select 1`, timeout.promise]);
    return undefined;
  } catch (error) {
    return error ?? new Error("unknown failure");
  } finally {
    clearTimeout(timer);
    await connection.end(0);
  }
}
