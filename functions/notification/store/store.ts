import { type Failpoint, noFailpoint } from "../../../runtime/failpoints.ts";
import { PermanentError } from "../../../runtime/failure.ts";
import { markStored } from "../../../runtime/ledger/marks.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { createBatcher } from "../../../runtime/postgres/batch.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { isDataError } from "../../../runtime/postgres/sqlstate.ts";
import type { Emission } from "../alert.ts";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import { markRefused } from "./mark-ledger.ts";
import type { Tell } from "./tell.ts";
import { type Outcome, writeAlerts } from "./write-alerts.ts";
import { writeDeadLetters } from "./write-dead-letters.ts";

export interface StoreDeps {
  readonly postgres: Postgres;
  readonly metrics: Metrics;
  /** Decides whom to tell of episodes that begin or are opened again. */
  readonly tell: Tell;
  /** Called after a commit that wrote messages that are due, or events of ours. */
  readonly onOutbox: () => void;
  readonly failpoint?: Failpoint;
}

/** What notification keeps. Every write resolves only after its batch committed. */
export interface Store {
  /**
   * Merges an emission into its alert and its episode, has people told of an episode that begins or is
   * opened again, and marks the alert event as stored in the ledger: one transaction. Throws PermanentError
   * `ALERT_ID_REUSED` or `ALERT_UNSTORABLE`, and UnavailableError while the database is away.
   */
  storeAlert(emission: Emission): Promise<void>;
  /** Keeps a dead letter and, when it is a rejection, marks the event as rejected in the ledger. */
  storeDeadLetter(letter: DeadLetter): Promise<void>;
  /** Refuses further writes and waits for those under way. */
  drain(): Promise<void>;
}

/** Below the delivery's own deadline, so that the answer tells what happened. */
const limits = {
  maxItems: 500,
  maxBytes: 4 * 1024 * 1024,
  maxQueued: 10_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  deadlineMs: 15_000,
};

/**
 * Batches that are written at once. While the database works on one the other is made; a group's alerts always
 * go the same way, so that the two never wait for each other's locks.
 */
const laneCount = 2;

/** The store on PostgreSQL, with group commit. */
export function createStore({ postgres, metrics, tell, onOutbox, ...deps }: StoreDeps): Store {
  const { failpoint = noFailpoint } = deps;
  const onBatch = (rows: number) => metrics.batchRows.observe(rows);

  const lanes = Array.from({ length: laneCount }, () =>
    createBatcher<Emission, Outcome>({ ...limits, onBatch, sizeOf: sizeOfAlert, flush: flushAlerts }),
  );
  const store = (emission: Emission) => {
    const lane = lanes[Number.parseInt(emission.groupId.slice(0, 8), 16) % laneCount];
    if (!lane) throw new TypeError(`'${emission.groupId}' is no UUID.`);
    return lane.add(emission);
  };
  const letters = createBatcher<DeadLetter, void>({
    ...limits,
    onBatch,
    sizeOf: ({ body }) => body.length,
    flush: flushLetters,
  });

  async function flushAlerts(emissions: readonly Emission[]): Promise<readonly Outcome[]> {
    const written = await postgres.transaction(async (sql) => {
      const { outcomes, occasions, hasEvents } = await writeAlerts(sql, emissions);
      const isDue = occasions.length > 0 && (await tell(sql, occasions));
      await markStored(
        sql,
        emissions.filter((_, index) => outcomes[index] !== "conflict").map(({ event }) => event),
      );
      await failpoint("notification-before-commit");
      return { outcomes, isToGo: isDue || hasEvents };
    });
    await failpoint("notification-after-commit");
    if (written.isToGo) onOutbox();
    return written.outcomes;
  }

  async function flushLetters(batch: readonly DeadLetter[]): Promise<readonly undefined[]> {
    await postgres.transaction(async (sql) => {
      await writeDeadLetters(sql, batch);
      await markRefused(sql, batch);
    });
    return batch.map(() => undefined);
  }

  return {
    async storeAlert(emission) {
      const outcome = await store(emission).catch(refuseData);
      metrics.alertsStored.inc({ outcome });
      if (outcome === "conflict") {
        throw new PermanentError(
          "ALERT_ID_REUSED",
          `Alert ${emission.alertId} is already known from another rule, version or group.`,
          { pointer: "/data/alert_id" },
        );
      }
    },
    async storeDeadLetter(letter) {
      await letters.add(letter);
      metrics.deadLetters.inc({ kind: letter.kind });
    },
    async drain() {
      await Promise.all([...lanes, letters].map((lane) => lane.drain()));
    },
  };
}

/** The database refuses the row itself: no retry can change that. */
function refuseData(error: unknown): never {
  if (!isDataError(error)) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  throw new PermanentError("ALERT_UNSTORABLE", `The alert cannot be stored: ${reason}`, { cause: error });
}

/** About the bytes it takes in the statement. */
function sizeOfAlert({ columns, evidence }: Emission): number {
  return JSON.stringify(columns).length + evidence.length * 200;
}
