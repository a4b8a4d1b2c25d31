import type { Event } from "../../events/event.ts";
import { type EventIdentity, eventKey } from "../../events/identity.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Ledger, LedgerCounts, LedgerEntry } from "../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import { digestOf } from "../../runtime/ledger/stored-event.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

export interface World {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
}

/** Runs one statement, or one transaction that commits at once, on a server that may fail. */
export type Statement = <T>(label: string, work: () => T | Promise<T>) => Promise<T>;

/** A server: what it is asked takes a while, may not happen, or may happen and look as if it had not. */
export function createServer(
  { scheduler, chance, faults }: World,
  name: { readonly dependency: "postgres" | "redis"; readonly fault: "database" | "state" },
): Statement {
  const { dependency, fault } = name;
  return async (label, work) => {
    if (fault === "database" && faults.strikes("database slow")) {
      await scheduler.sleep(chance.between(100, 30_000));
    }
    await scheduler.step(`${dependency} ${label}`);
    if (faults.strikes(`${fault} away`)) throw new UnavailableError(dependency, "It is away.");
    const answer = await work();
    await scheduler.step(`${dependency} ${label} done`);
    if (faults.strikes(`${fault} executed, then failed`)) {
      throw new UnavailableError(dependency, "The connection was lost.");
    }
    return answer;
  };
}

/** The ledger of all processes, on a server that may fail. */
export interface Database {
  readonly ledger: Ledger;
  /** For the same transaction as something else: happens at once. */
  readonly marks: {
    stored(detections: readonly EventIdentity[]): void;
    /** Marks an event as refused, or a detection as done with, when the refused bytes are the kept ones. */
    refused(event: Event, reason: string): void;
  };
  readonly statement: Statement;
  /** What it holds, for whoever judges at the end; not part of the system. */
  readonly contents: {
    accepted(): Promise<readonly LedgerEntry[]>;
    /** Keys of the events in the order in which they were accepted. */
    order(): readonly string[];
    /** How many timers wait for their time. */
    timers(): number;
    counts(): Promise<LedgerCounts>;
    /** Detections that are not stored, also those that were put off. */
    unstored(): Promise<readonly Event[]>;
    readonly recorded: ReadonlyMap<string, Event>;
    readonly rejected: ReadonlySet<string>;
  };
}

export const keyOf = (event: EventIdentity) => eventKey(event).toString("hex");

export function createDatabase(world: World): Database {
  const { now } = world.scheduler;
  const kept = createMemoryLedger({ now });
  const statement = createServer(world, { dependency: "postgres", fault: "database" });
  const digests = new Map<string, string>();
  const recorded = new Map<string, Event>();
  const rejected = new Set<string>();

  function record(evaluation: Parameters<Ledger["record"]>[0]) {
    return kept.record(evaluation).then((detections) => {
      for (const detection of detections) recorded.set(keyOf(detection), detection);
      return detections;
    });
  }

  const ledger: Ledger = {
    accept: (event) =>
      statement("accept", async () => {
        const acceptance = await kept.accept(event);
        if (acceptance.outcome === "stored") digests.set(keyOf(event), digest(event));
        return acceptance;
      }),
    record: (evaluation) => statement("record", () => record(evaluation)),
    dueTimers: (claim) => statement("due timers", () => kept.dueTimers(claim)),
    settle: (settlement) =>
      statement("settle", async () => {
        const raised = await kept.settle(settlement);
        for (const detection of raised ?? []) recorded.set(keyOf(detection), detection);
        return raised;
      }),
    markStored: (detections) => statement("mark stored", () => kept.markStored(detections)),
    markRejected: (event, reason) => statement("mark rejected", () => kept.markRejected(event, reason)),
    unevaluated: (page) => statement("unevaluated", () => kept.unevaluated(page)),
    unstored: (page) => statement("unstored", () => kept.unstored(page)),
    markEmitted: (emitted) => statement("mark emitted", () => kept.markEmitted(emitted)),
    async *replay(range) {
      // One statement sees one moment; its rows then come one after the other.
      const rows = await statement("replay", () => allOf(kept.replay(range)));
      for (const row of rows) {
        await world.scheduler.step("postgres row");
        yield row;
      }
    },
    counts: () => statement("counts", () => kept.counts()),
    maintain: () => statement("maintain", () => kept.maintain()),
    exclusive: createLocks(world, statement),
  };

  return {
    ledger,
    statement,
    marks: {
      stored: (detections) => void kept.markStored(detections),
      refused(event, reason) {
        const key = keyOf(event);
        const detection = recorded.get(key);
        if (detection && digest(detection) === digest(event)) void kept.markStored([event]);
        if (digests.get(key) !== digest(event)) return;
        rejected.add(key);
        void kept.markRejected(event, reason);
      },
    },
    contents: {
      accepted: () => allOf(kept.replay({ from: Number.NEGATIVE_INFINITY, to: Infinity })),
      order: () => [...digests.keys()],
      timers: () => kept.timers(),
      counts: () => kept.counts(),
      unstored: () => kept.unstored({ olderThanMs: Number.NEGATIVE_INFINITY, limit: 100_000 }),
      recorded,
      rejected,
    },
  };
}

const digest = (event: Event) => digestOf(event).toString("hex");

/** Locks that die with the process, or the connection, that holds them. */
function createLocks({ scheduler, chance, faults }: World, statement: Statement): Ledger["exclusive"] {
  const held = new Map<string, object>();
  return async (name, work) => {
    const token = {};
    let forget = () => {};
    const release = () => {
      forget();
      if (held.get(name) === token) held.delete(name);
    };
    const isMine = await statement(`lock ${name}`, () => {
      if (held.has(name)) return false;
      held.set(name, token);
      forget = scheduler.current().onDeath(release);
      return true;
    }).catch((error: unknown) => {
      // With the connection on which the answer was lost, the lock is gone as well.
      release();
      throw error;
    });
    if (!isMine) return undefined;
    const losing = new AbortController();
    const { promise: lost, reject: lose } = Promise.withResolvers<never>();
    lost.catch(() => {});
    const withdraw = faults.strikes("lock lost")
      ? scheduler.after(chance.between(0, 50), "loses a lock", () => {
          release();
          losing.abort(new UnavailableError("postgres", "The lock was lost."));
          lose(losing.signal.reason);
        })
      : () => {};
    try {
      return await Promise.race([work(losing.signal), lost]);
    } finally {
      withdraw();
      release();
    }
  };
}

async function allOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
