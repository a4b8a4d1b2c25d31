import { UnavailableError } from "../failure.ts";
import { isDataError } from "./sqlstate.ts";

export interface BatchOptions<Item, Result> {
  /**
   * Writes the items in one transaction and answers one result per item, in their order. It may be called
   * again with a part of the same items after it failed, so it must be idempotent.
   */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items per flush at most. */
  readonly maxItems: number;
  /** Bytes per flush at most; a single larger item still goes, alone. */
  readonly maxBytes?: number;
  readonly sizeOf?: (item: Item) => number;
  /** Items waiting at most; more are refused as overload. */
  readonly maxQueued: number;
  /** Bytes waiting at most. */
  readonly maxQueuedBytes?: number;
  /** How long a call may take, waiting included. */
  readonly deadlineMs: number;
  /** Told the number of items of every flush. */
  readonly onBatch?: (size: number) => void;
  /** Whether a failed flush may be one item's fault, so that its neighbours deserve another try. */
  readonly isItemError?: (error: unknown) => boolean;
}

export interface Batcher<Item, Result> {
  /**
   * Resolves once the item's batch committed. Rejects with the item's own error, or with
   * `UnavailableError` on overload, at the deadline and while draining; at the deadline the item may yet
   * be written.
   */
  add(item: Item): Promise<Result>;
  /** Refuses new items and resolves once those accepted have settled. */
  drain(): Promise<void>;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly size: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Group commit: calls made while a flush is under way gather into the next one, so that a batch is as large
 * as the load demands and a lone call waits for nobody. One flush runs at a time.
 *
 * Invariant: every accepted item settles exactly once, as its own row deserves. A flush that fails because
 * of a row is halved until the row is alone; its neighbours are written.
 */
export function createBatcher<Item, Result>(options: BatchOptions<Item, Result>): Batcher<Item, Result> {
  const queue = createQueue(options);
  const write = createWriter(options);
  let flushing: Promise<void> | undefined;
  let draining = false;

  async function flushAll(): Promise<void> {
    // Calls of the same tick go together.
    await Promise.resolve();
    while (queue.size() > 0) await write(queue.take());
    flushing = undefined;
  }

  return {
    add(item) {
      const full = draining ? "The store is closing." : queue.full();
      if (full !== undefined) return Promise.reject(unavailable(full));
      const added = queue.add(item);
      flushing ??= flushAll();
      return added;
    },
    async drain() {
      draining = true;
      await flushing;
    },
  };
}

/** What waits for a flush, in the order of arrival, bounded in number and bytes. */
function createQueue<Item, Result>(options: BatchOptions<Item, Result>) {
  const { maxItems, maxBytes = Infinity, maxQueued, maxQueuedBytes = Infinity, deadlineMs } = options;
  const sizeOf = options.sizeOf ?? (() => 0);
  const waiting = new Set<Entry<Item, Result>>();
  let bytes = 0;

  function remove(entry: Entry<Item, Result>) {
    if (waiting.delete(entry)) bytes -= entry.size;
  }

  return {
    size: () => waiting.size,
    full(): string | undefined {
      if (waiting.size >= maxQueued) return `${waiting.size} writes are waiting.`;
      return bytes >= maxQueuedBytes ? `${bytes} bytes of writes are waiting.` : undefined;
    },
    add: (item: Item) =>
      new Promise<Result>((resolve, reject) => {
        const timer = setTimeout(() => {
          remove(entry);
          reject(unavailable(`The write did not finish in ${deadlineMs} ms.`));
        }, deadlineMs);
        const entry = { item, size: sizeOf(item), resolve, reject, timer };
        waiting.add(entry);
        bytes += entry.size;
      }),
    take() {
      const batch: Entry<Item, Result>[] = [];
      let taken = 0;
      for (const entry of waiting) {
        taken += entry.size;
        if (batch.length === maxItems || (batch.length > 0 && taken > maxBytes)) break;
        batch.push(entry);
      }
      for (const entry of batch) remove(entry);
      return batch;
    },
  };
}

/** Writes a batch and settles each of its items; never rejects. */
function createWriter<Item, Result>(options: BatchOptions<Item, Result>) {
  const isItemError = options.isItemError ?? isDataError;

  return async function write(batch: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await flush(batch);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      if (batch.length > 1 && isItemError(error)) {
        const middle = batch.length >>> 1;
        await write(batch.slice(0, middle));
        await write(batch.slice(middle));
      } else for (const entry of batch) entry.reject(error);
    } finally {
      for (const { timer } of batch) clearTimeout(timer);
    }
  };

  async function flush(batch: readonly Entry<Item, Result>[]): Promise<readonly Result[]> {
    options.onBatch?.(batch.length);
    const results = await options.flush(batch.map(({ item }) => item));
    if (results.length === batch.length) return results;
    throw new Error(`The flush answered ${results.length} results for ${batch.length} items.`);
  }
}

function unavailable(message: string): UnavailableError {
  return new UnavailableError("postgres", message);
}
