import type { Log } from "../../../../runtime/log.ts";
import type { Counters } from "./read-changes.ts";

export interface CountingDeps {
  readonly count: () => Promise<Counters>;
  /** Called when the counters differ from those before. */
  readonly tell: (counters: Counters) => void;
  /** At least this long between two counts. */
  readonly everyMs: number;
  readonly log: Log;
}

/** Counts after changes, not too often. */
export function createCounting({ count, tell, everyMs, log }: CountingDeps) {
  let known: Counters | undefined;
  let countedMs = Number.NEGATIVE_INFINITY;
  let due: NodeJS.Timeout | undefined;
  let stopped = false;

  async function run(): Promise<Counters> {
    countedMs = performance.now();
    const counters = await count();
    const isNew = counters.open !== known?.open || counters.critical_open !== known.critical_open;
    known = counters;
    if (isNew) tell(counters);
    return counters;
  }

  return {
    /** As they were counted last. */
    current: () => (known === undefined ? run() : Promise.resolve(known)),
    /** Something changed: counts soon. */
    wake() {
      if (due !== undefined || stopped) return;
      const waitMs = Math.max(0, countedMs + everyMs - performance.now());
      due = setTimeout(() => {
        due = undefined;
        run().catch((error: unknown) => log.debug({ err: error }, "alerts could not be counted"));
      }, waitMs);
    },
    stop() {
      stopped = true;
      clearTimeout(due);
    },
  };
}
