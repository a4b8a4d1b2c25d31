import { decodeRequest } from "../../events/http.ts";
import { InvalidEventError } from "../../events/invalid-event.ts";
import type { Emission } from "../../functions/notification/alert.ts";
import type { DeadLetter } from "../../functions/notification/dead-letters/dead-letter.ts";
import type { Claim, DeliveryStore, Ended } from "../../functions/notification/delivery/store.ts";
import type { Store } from "../../functions/notification/store/store.ts";
import type { Failpoint } from "../../runtime/failpoints.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import { createBatcher } from "../../runtime/postgres/batch.ts";
import { channel, type DeliveryRow, planWrite, type Tables } from "./alert-tables.ts";
import type { Database, World } from "./database.ts";
import type { Plants } from "./plants.ts";

export interface StoreDeps {
  readonly world: World;
  readonly database: Database;
  readonly tables: Tables;
  readonly locks: GroupLocks;
  readonly failpoint: Failpoint;
  readonly plants: Plants;
  readonly onOutbox: () => void;
}

const limits = { maxItems: 500, maxQueued: 10_000, deadlineMs: 15_000 };

/** Notification's store: its group commit and its transactions, over maps in place of SQL. */
export function createStore(deps: StoreDeps): Pick<Store, "storeAlert" | "storeDeadLetter"> {
  const { world, database, tables, locks, failpoint, plants, onOutbox } = deps;
  const { scheduler } = world;

  const alerts = createBatcher<Emission, string>({
    ...limits,
    async flush(emissions) {
      const groups = emissions.map(({ groupId }) => groupId);
      const write = await locks.hold(groups, async () => {
        await scheduler.step("postgres upserts alerts");
        const decided = planWrite(tables, emissions, scheduler.now());
        const planned = plants.write?.(decided, tables) ?? decided;
        await scheduler.step("postgres writes episodes");
        await failpoint("notification-before-commit");
        return await database.statement("commit of alerts", () => {
          planned.commit();
          database.marks.stored(emissions.map(({ event }) => event));
          return planned;
        });
      });
      await failpoint("notification-after-commit");
      if (write.hasBegun) onOutbox();
      return write.outcomes;
    },
  });

  const letters = createBatcher<DeadLetter, void>({
    ...limits,
    async flush(batch) {
      await database.statement("commit of dead letters", () => {
        for (const letter of batch) {
          tables.deadLetters.set(letter.id, letter);
          if (letter.kind === "rejected") markRefused(database, letter);
        }
      });
      return batch.map(() => undefined);
    },
  });

  return {
    storeAlert: async (emission) => void (await alerts.add(emission)),
    storeDeadLetter: (letter) => letters.add(letter),
  };
}

/** The decision of mark-ledger.ts: whoever is refused is marked when the refused bytes are those kept. */
function markRefused({ marks }: Database, { headers, body, code }: DeadLetter): void {
  try {
    marks.refused(decodeRequest({ headers, body }), code);
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
  }
}

/** Row and advisory locks on groups, released with the transaction or the process that holds them. */
export interface GroupLocks {
  hold<T>(groups: readonly string[], work: () => Promise<T>): Promise<T>;
}

export function createGroupLocks({ scheduler }: World): GroupLocks {
  const holders = new Map<string, object>();
  return {
    async hold(groups, work) {
      const token = {};
      const wanted = [...new Set(groups)].toSorted();
      const release = () => {
        for (const group of wanted) if (holders.get(group) === token) holders.delete(group);
      };
      const forget = scheduler.current().onDeath(release);
      try {
        for (const group of wanted) {
          for (let waited = 0; holders.has(group); waited += 1) {
            if (waited > 2000) throw new UnavailableError("postgres", "The lock was not released.");
            await scheduler.sleep(7);
          }
          holders.set(group, token);
          await scheduler.step("postgres locks a group");
        }
        return await work();
      } finally {
        forget();
        release();
      }
    },
  };
}

/** The deliveries over the same tables; all times are the database's. */
export function createMemoryDeliveries({
  world,
  database,
  tables,
}: Pick<StoreDeps, "world" | "database" | "tables">): DeliveryStore {
  const { now } = world.scheduler;
  const pending = () => [...tables.deliveries.values()].filter(({ status }) => status === "pending");
  return {
    claim: ([room], leaseMs) =>
      database.statement("claim", () => {
        const due = pending().filter(({ dueAt }) => dueAt <= now());
        return due.slice(0, room?.room ?? 0).map((row) => {
          row.attempts += 1;
          row.dueAt = now() + leaseMs;
          return claimOf(row, now());
        });
      }),
    record: (attempts) =>
      database.statement("record attempts", () => {
        for (const ended of attempts) record(tables.deliveries.get(ended.claim.id), ended);
      }),
    putOff: (_channel, forMs) =>
      database.statement("put off", () => {
        const due = pending().filter(({ dueAt }) => dueAt < now() + forMs);
        for (const row of due) row.dueAt = now() + forMs;
        return due.length;
      }),
    // The horizon is far beyond the end of a run.
    sweep: () => database.statement("sweep", () => ({ givenUp: [], stranded: 0 })),
    nextDue: () =>
      database.statement("next due", () => {
        const times = pending().map(({ dueAt }) => dueAt);
        return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now());
      }),
  };
}

function claimOf({ id, alertId, message, attempts }: DeliveryRow, now: number): Claim {
  return {
    id,
    createdAt: "",
    alertIds: [alertId],
    channel,
    message,
    attempt: attempts,
    claimedAt: now,
    leftMs: 86_400_000,
  };
}

/** What the statement of delivery/store.ts does to one row. */
function record(row: DeliveryRow | undefined, { claim, outcome, startedAt, durationMs }: Ended): void {
  if (!row) return;
  if (outcome.kind === "delivered") row.status = "delivered";
  else if (row.attempts === claim.attempt && row.status === "pending") {
    row.status = outcome.kind === "failed" ? "failed" : "pending";
    if (outcome.kind === "again") row.dueAt = startedAt + durationMs + outcome.afterMs;
  }
}
