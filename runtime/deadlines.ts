import { DeadlineError } from "./failure.ts";

/** What can be ended before it ends by itself. */
interface Abortable {
  abort(reason: Error): void;
}

/** Keeps an eye on everything that is under way, and ends what takes longer than it may. */
export interface Deadlines {
  /** Starts watching; answers with the slot to release. */
  watch(work: Abortable): number;
  release(slot: number): void;
  abortAll(reason: Error): void;
}

export interface DeadlinesOptions {
  readonly timeoutMs: number;
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number;
}

/** How late a deadline may be noticed, as a share of it. */
const precision = 20;

/**
 * One timer for all deadlines, armed only while something is under way. Slots in an array rather than a
 * Set: a Set that things keep passing through moves to the old generation, and takes along all they hold.
 */
export function createDeadlines({ timeoutMs, clock }: DeadlinesOptions): Deadlines {
  const slots: (Abortable | undefined)[] = [];
  const since: number[] = [];
  const free: number[] = [];
  let armed = false;

  function arm(): void {
    armed = true;
    setTimeout(look, Math.max(1, timeoutMs / precision)).unref();
  }

  function look(): void {
    const latest = clock() - timeoutMs;
    for (const [slot, work] of slots.entries()) {
      if (work && (since[slot] ?? 0) <= latest)
        work.abort(new DeadlineError(`not handled within ${timeoutMs} ms`));
    }
    if (free.length < slots.length) arm();
    else armed = false;
  }

  return {
    watch(work) {
      const slot = free.pop() ?? slots.length;
      slots[slot] = work;
      since[slot] = clock();
      if (!armed) arm();
      return slot;
    },
    release(slot) {
      slots[slot] = undefined;
      free.push(slot);
    },
    abortAll(reason) {
      for (const work of slots) work?.abort(reason);
    },
  };
}
