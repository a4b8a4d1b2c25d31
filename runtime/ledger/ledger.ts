import type { Event } from "../../events/event.ts";
import type { EventIdentity } from "../../events/identity.ts";

/** What the ledger knows of an event offered to it. */
export type Acceptance =
  /** `time` is the effective event time in epoch milliseconds, fixed when the event was first stored. */
  | { readonly outcome: "stored"; readonly time: number }
  | {
      readonly outcome: "duplicate";
      readonly time: number;
      /** Present once the event was evaluated: exactly what was recorded then. */
      readonly detections?: readonly Event[];
    }
  /** The same (source, id) was stored with other data; nothing was changed. */
  | { readonly outcome: "conflict" };

/** The verdict on one event. */
export interface Evaluation {
  readonly event: EventIdentity;
  /** Hash of the rule set it was judged by. */
  readonly ruleSet: string;
  /** The alert events it gave rise to. */
  readonly detections: readonly Event[];
  /** What has to be judged later because of it. */
  readonly timers?: readonly TimerRequest[];
}

/** What is judged once its time has passed: one bucket of one group. Any texts. */
export interface TimerName {
  readonly series: string;
  readonly group: string;
  readonly bucket: number;
}

export interface TimerRequest extends TimerName {
  /** The end of the event times that what is judged depends on, epoch milliseconds. */
  readonly endsAt: number;
  /** How long after that end, and after this request, more events are awaited. */
  readonly latenessMs: number;
  /**
   * True when others arm the timer in time, so that this event needs it only when it comes too late for
   * them: without effect until `latenessMs` after the end.
   */
  readonly onlyWhenLate?: boolean;
}

/** How many timers are claimed, and for how long: then others may. */
export interface TimerClaim {
  readonly limit: number;
  readonly leaseMs: number;
}

export interface DueTimer extends TimerName {
  /** When it was due and how long ago that is, by the ledger's clock. */
  readonly dueAt: number;
  readonly overdueMs: number;
  /** Tells this timer from the same one armed again. */
  readonly token: string;
}

/** What a timer's bucket gave rise to. */
export interface Settlement {
  readonly timer: DueTimer;
  readonly detections: readonly Event[];
}

export interface EventRange {
  /** Effective event time, epoch milliseconds: from (inclusive) to (exclusive). */
  readonly from: number;
  readonly to: number;
  readonly types?: readonly string[];
}

/** A page of what waits for too long. */
export interface OverduePage {
  readonly olderThanMs: number;
  readonly limit: number;
}

export interface Emitted {
  readonly events?: readonly EventIdentity[];
  readonly detections?: readonly EventIdentity[];
}

/** A stored event with its effective time. */
export interface LedgerEntry {
  readonly event: Event;
  readonly time: number;
}

export interface LedgerCounts {
  readonly accepted: number;
  readonly evaluated: number;
  readonly rejected: number;
  readonly pending: number;
}

/**
 * The durable record of every accepted event and of what was detected in it. "Nothing accepted is
 * lost" rests on it: the broker may lose a message, the reconciler finds it here.
 *
 * Writes are group-committed: the promise of each call resolves only after its batch committed.
 */
export interface Ledger {
  /** Stores the event unless its (source, id) is known. */
  accept(event: Event): Promise<Acceptance>;
  /**
   * Records the detections, arms the timers and marks the event evaluated, in one transaction. Answers with
   * what is recorded: when another run was faster, its detections, not these (nor these timers). A timer that
   * is armed already is due at the later of both times.
   */
  record(evaluation: Evaluation): Promise<readonly Event[]>;
  /**
   * Claims timers that are due by the database's clock, oldest first; nobody else gets them meanwhile. Those
   * that were claimed before and not settled come last, so that many of them hold up no other.
   */
  dueTimers(claim: TimerClaim): Promise<readonly DueTimer[]>;
  /**
   * Records detections and removes the timer, in one transaction. Answers with those that are new, for a
   * bucket may be judged again; `undefined` when the timer was armed again or settled by others meanwhile, and
   * then records nothing.
   */
  settle(settlement: Settlement): Promise<readonly Event[] | undefined>;
  /** Marks detections as stored by notification. Unknown ids are ignored. */
  markStored(detections: readonly EventIdentity[]): Promise<void>;
  /** Marks an accepted event as rejected, unless it was evaluated. Unknown events are ignored. */
  markRejected(event: EventIdentity, reason: string): Promise<void>;
  /**
   * Accepted, neither evaluated nor rejected, and older than `olderThanMs` by the database's clock; oldest
   * first. What was emitted again lately is left out, see `markEmitted`.
   */
  unevaluated(page: OverduePage): Promise<readonly Event[]>;
  /** Detected, not marked as stored, and older than `olderThanMs`; likewise. */
  unstored(page: OverduePage): Promise<readonly Event[]>;
  /**
   * Notes that overdue events or detections were emitted again, so that each is left out for a while: 1
   * minute, then 2, 4 and so on up to an hour. They stay pending and counted.
   */
  markEmitted(emitted: Emitted): Promise<void>;
  /** Stored events of a range of event time, oldest first. */
  replay(range: EventRange): AsyncIterable<LedgerEntry>;
  counts(): Promise<LedgerCounts>;
  /** Makes room for the time ahead (partitions); harmless to repeat. */
  maintain(): Promise<void>;
  /**
   * Runs `work` while holding the named cluster-wide lock; `undefined` when somebody else holds it. The
   * lock dies with its connection: then the signal is aborted and the call rejects with `UnavailableError`
   * at once, because another holder may be at work already.
   */
  exclusive<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined>;
}
