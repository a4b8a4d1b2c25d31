import type { Connection } from "./connection.ts";

/** Work under way on one connection, which is given back when the slot is disposed. */
interface Slot extends Disposable {
  readonly connection: Connection;
  readonly startedMs: number;
  readonly hungMs: number;
}

export interface Slots {
  /** Waits for a connection; what then takes longer than `hungMs` counts as hung. */
  take(hungMs: number): Promise<Slot>;
  stop(): void;
}

const lookMs = 500;

/**
 * Gives out connections, the one used last first; who finds none waits in order.
 *
 * What runs is watched. A connection can die without a word (a half-open connection), and then neither an
 * answer nor the server's own timeout ever arrives: `onSlow` is told once for whatever takes `slowMs`,
 * `onHung` when something takes its `hungMs`.
 */
export function createSlots(options: {
  readonly connections: readonly Connection[];
  readonly slowMs: number;
  readonly onSlow: () => void;
  readonly onHung: () => void;
}): Slots {
  const free = [...options.connections];
  const running = new Set<Slot>();
  const waiting: (() => void)[] = [];
  const watch = setInterval(() => {
    const now = performance.now();
    const ages = Array.from(running, ({ startedMs, hungMs }) => ({ age: now - startedMs, hungMs }));
    if (ages.some(({ age, hungMs }) => age > hungMs)) options.onHung();
    else if (ages.some(({ age }) => age > options.slowMs && age <= options.slowMs + lookMs)) options.onSlow();
  }, lookMs).unref();

  function occupy(connection: Connection, hungMs: number): Slot {
    const slot: Slot = {
      connection,
      startedMs: performance.now(),
      hungMs,
      [Symbol.dispose]() {
        if (!running.delete(slot)) return;
        free.push(connection);
        waiting.shift()?.();
      },
    };
    running.add(slot);
    return slot;
  }

  async function take(hungMs: number): Promise<Slot> {
    let connection = waiting.length === 0 ? free.pop() : undefined;
    while (!connection) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      connection = free.pop();
    }
    return occupy(connection, hungMs);
  }

  return { take, stop: () => clearInterval(watch) };
}
