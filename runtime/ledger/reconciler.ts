import type { Event } from "../../events/event.ts";
import { SinkError } from "../../events/sink.ts";
import type { Sink } from "../function.ts";
import type { Metrics } from "../metrics.ts";
import type { Emitted, Ledger, OverduePage } from "./ledger.ts";

export interface ReconcilerDeps {
  readonly ledger: Ledger;
  readonly sink: Sink;
  /** How long the broker is given before it is suspected to have lost something. */
  readonly olderThanMs: number;
  /** Events, and detections, per page. */
  readonly limit: number;
  readonly metrics?: Metrics;
}

/** What one run emitted again. */
export interface Reconciled {
  readonly events: number;
  readonly detections: number;
}

/** A run ends after so many pages, to stay within the deadline of whatever called it. */
const maxPages = 20;

/**
 * Emits again, with the same ids, what was accepted and not evaluated and what was detected and not stored:
 * the broker lost it, or a function was away for longer than deliveries are retried. One replica at a time;
 * the others do nothing. Each event has its own back-off, so a hopeless one does not come every minute.
 * Rejects when the sink is away, after everything else was done.
 */
export function createReconciler({ ledger, sink, olderThanMs, limit, metrics }: ReconcilerDeps) {
  return async (): Promise<Reconciled> => {
    const ran = await ledger.exclusive("reconcile", async (signal) => {
      // None of the three waits for another: what fails with one is told after all had their turn.
      const [events] = await Promise.allSettled([
        drain(signal, { kind: "event", read: (page) => ledger.unevaluated(page), note: "events" }),
      ]);
      const [detections] = await Promise.allSettled([
        drain(signal, { kind: "detection", read: (page) => ledger.unstored(page), note: "detections" }),
      ]);
      const [maintained] = await Promise.allSettled([ledger.maintain()]);
      await report();
      valueOf(maintained);
      return { events: valueOf(events), detections: valueOf(detections) };
    });
    return ran ?? { events: 0, detections: 0 };
  };

  async function drain(signal: AbortSignal, { kind, read, note }: Overdue): Promise<number> {
    let emitted = 0;
    for (let page = 0; page < maxPages && !signal.aborted; page++) {
      const overdue = await read({ olderThanMs, limit });
      if (overdue.length > 0) {
        const confirmed = await emitAgain(overdue);
        // Those the sink refused are put off as well: they must not stand in the way of the others.
        await ledger.markEmitted({ [note]: overdue });
        metrics?.reconciled.inc({ kind }, confirmed);
        emitted += confirmed;
      }
      if (overdue.length < limit) break;
    }
    return emitted;
  }

  /** All at once, and when that fails one by one; answers how many were confirmed. */
  async function emitAgain(events: readonly Event[]): Promise<number> {
    try {
      await sink(events);
      return events.length;
    } catch (error) {
      if (events.length === 1 && !isFinal(error)) throw error;
    }
    const results = await Promise.allSettled(events.map((event) => sink([event])));
    const refused = results.filter((result) => result.status === "rejected");
    const away = refused.length === events.length && !refused.some(({ reason }) => isFinal(reason));
    if (away) throw refused[0]?.reason;
    return events.length - refused.length;
  }

  async function report(): Promise<void> {
    const counts = await ledger.counts();
    for (const [state, events] of Object.entries(counts)) metrics?.ledgerEvents.set({ state }, events);
  }
}

/** The sink answered and will never take the event: that is no reason to think it is away. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof SinkError && error.status !== undefined && error.status >= 400 && error.status < 500
  );
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

interface Overdue {
  readonly kind: string;
  readonly read: (page: OverduePage) => Promise<readonly Event[]>;
  readonly note: keyof Emitted;
}
