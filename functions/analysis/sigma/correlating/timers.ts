/** Things that are due at a time, earliest first. */
export interface Timers<Item> {
  /** The earliest time anything is due; Infinity when nothing is. */
  readonly next: number;
  add(due: number, item: Item): void;
  /** Takes out what is due first. */
  take(): Timer<Item> | undefined;
  readonly size: number;
  /** Drops the timers that are of no use any more; costs as much as adding the others anew. */
  keep(isOfUse: (timer: Timer<Item>) => boolean): void;
}

export interface Timer<Item> {
  readonly due: number;
  readonly item: Item;
}

/** A binary heap: adding and taking cost the logarithm of how many there are, looking nothing. */
export function createTimers<Item>(): Timers<Item> {
  const heap: Timer<Item>[] = [];
  const dueAt = (index: number) => heap[index]?.due ?? Number.POSITIVE_INFINITY;

  /** Puts a timer where a hole is, moving smaller ones up. */
  function sink(timer: Timer<Item>): void {
    let hole = 0;
    for (;;) {
      const left = 2 * hole + 1;
      const child = dueAt(left + 1) < dueAt(left) ? left + 1 : left;
      const smaller = heap[child];
      if (!smaller || smaller.due >= timer.due) break;
      heap[hole] = smaller;
      hole = child;
    }
    heap[hole] = timer;
  }

  function add(timer: Timer<Item>): void {
    let hole = heap.length;
    for (let parent = (hole - 1) >> 1; hole > 0 && dueAt(parent) > timer.due; parent = (hole - 1) >> 1) {
      const larger = heap[parent];
      if (larger) heap[hole] = larger;
      hole = parent;
    }
    heap[hole] = timer;
  }

  return {
    get next() {
      return dueAt(0);
    },
    get size() {
      return heap.length;
    },
    add: (due, item) => add({ due, item }),
    take() {
      const first = heap[0];
      const last = heap.pop();
      if (last && heap.length > 0) sink(last);
      return first;
    },
    keep(isOfUse) {
      for (const timer of heap.splice(0)) if (isOfUse(timer)) add(timer);
    },
  };
}
