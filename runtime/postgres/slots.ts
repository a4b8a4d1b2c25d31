/** Work under way on one connection. */
export interface Slot extends Disposable {
  readonly startedMs: number;
  readonly hungMs: number;
}

export interface Slots {
  /** Waits for its turn; what then takes longer than `hungMs` counts as hung. */
  take(hungMs: number): Promise<Slot>;
  stop(): void;
}

const lookMs = 500;

/**
 * Lets as many run as there are connections, the others wait in order: the client would otherwise put
 * statements behind each other on one connection, where a slow one holds up the rest.
 *
 * What runs is watched. A connection can die without a word (a half-open connection), and then neither an
 * answer nor the server's own timeout ever arrives: `onSlow` is told once for whatever takes `slowMs`,
 * `onHung` when something takes its `hungMs`.
 */
export function createSlots(options: {
  readonly max: number;
  readonly slowMs: number;
  readonly onSlow: () => void;
  readonly onHung: () => void;
}): Slots {
  const running = new Set<Slot>();
  const waiting: (() => void)[] = [];
  const watch = setInterval(() => {
    const now = performance.now();
    const ages = Array.from(running, ({ startedMs, hungMs }) => ({ age: now - startedMs, hungMs }));
    if (ages.some(({ age, hungMs }) => age > hungMs)) options.onHung();
    else if (ages.some(({ age }) => age > options.slowMs && age <= options.slowMs + lookMs)) options.onSlow();
  }, lookMs).unref();

  function occupy(hungMs: number): Slot {
    const slot: Slot = {
      startedMs: performance.now(),
      hungMs,
      [Symbol.dispose]() {
        if (running.delete(slot)) waiting.shift()?.();
      },
    };
    running.add(slot);
    return slot;
  }

  return {
    take(hungMs) {
      if (running.size < options.max && waiting.length === 0) return Promise.resolve(occupy(hungMs));
      return new Promise((resolve) => waiting.push(() => resolve(occupy(hungMs))));
    },
    stop: () => clearInterval(watch),
  };
}
