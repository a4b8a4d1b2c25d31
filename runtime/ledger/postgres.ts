import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { createBatcher } from "../postgres/batch.ts";
import type { Postgres } from "../postgres/postgres.ts";
import { storeOffers, toOffer } from "./accept.ts";
import type { Ledger } from "./ledger.ts";
import { batchLimits } from "./limits.ts";
import { markEmitted, markRejected, markStored } from "./marks.ts";
import { readCounts, readUnevaluated, readUnstored, replayEvents } from "./read.ts";
import { recordVerdicts, toVerdict } from "./record.ts";
import { claimTimers, settleTimer } from "./timers.ts";

export interface PostgresLedgerDeps {
  readonly log: Log;
  readonly metrics?: Metrics;
}

/**
 * The ledger in PostgreSQL, on tables that `migrations/` made. Disposing it waits for the writes under way
 * and leaves `postgres` open.
 */
export function openPostgresLedger(
  postgres: Postgres,
  { log, metrics }: PostgresLedgerDeps,
): Ledger & AsyncDisposable {
  const { sql } = postgres;
  const onBatch = (rows: number) => metrics?.batchRows.observe(rows);
  const offers = createBatcher({
    ...batchLimits,
    onBatch,
    sizeOf: ({ text }) => text.length,
    flush: (batch: readonly ReturnType<typeof toOffer>[]) => storeOffers(postgres, batch),
  });
  const verdicts = createBatcher({
    ...batchLimits,
    onBatch,
    sizeOf: ({ rows, timers }) =>
      rows.reduce((sum, { text }) => sum + text.length, 0) +
      timers.reduce((sum, { series, group }) => sum + series.length + group.length, 0),
    flush: (batch: readonly ReturnType<typeof toVerdict>[]) => recordVerdicts(postgres, batch),
  });

  return {
    async accept(event) {
      const acceptance = await offers.add(toOffer(event));
      metrics?.eventsAccepted.inc({ outcome: acceptance.outcome });
      return acceptance;
    },
    async record(evaluation) {
      const recorded = await verdicts.add(toVerdict(evaluation));
      if (recorded) return recorded;
      const { source, id } = evaluation.event;
      throw new Error(`Event ${JSON.stringify([source, id])} was evaluated but never accepted.`);
    },
    dueTimers: (claim) => claimTimers(sql, claim),
    settle: (settlement) => settleTimer(postgres, settlement),
    markStored: (detections) => markStored(sql, detections),
    markRejected: (event, reason) => markRejected(sql, [{ event, reason }]),
    unevaluated: (page) => readUnevaluated(sql, page),
    unstored: (page) => readUnstored(sql, page),
    async markEmitted({ events = [], detections = [] }) {
      await markEmitted(sql, "event_keys", events);
      await markEmitted(sql, "detections", detections);
    },
    replay: (range) => replayEvents(sql, range),
    counts: () => readCounts(sql),
    async maintain() {
      const [made] = await sql<{ partitions: number }[]>`select ledger_ensure_partitions() as partitions`;
      if (made?.partitions) log.info({ partitions: made.partitions }, "The ledger made partitions.");
    },
    exclusive: (name, work) => runExclusive(postgres, name, work),
    async [Symbol.asyncDispose]() {
      await Promise.all([offers.drain(), verdicts.drain()]);
    },
  };
}

/** A session lock, on a connection of its own: it ends with the work or with the connection. */
function runExclusive<T>(
  postgres: Postgres,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  return postgres.session(async (sql, signal) => {
    const [lock] = await sql<{ held: boolean }[]>`
      select pg_try_advisory_lock(hashtextextended(${`auditflow ${name}`}, 0)) as held`;
    return lock?.held ? work(signal) : undefined;
  });
}
