import { UnavailableError } from "../failure.ts";

export interface QueueOptions {
  /** Runs of work at the same time. */
  readonly atOnce: number;
  /** Callers that may wait for their turn; one more is turned away. */
  readonly waiting: number;
}

/** Runs work, a few at a time and in order. Rejects with UnavailableError when too many wait already. */
export function createQueue({ atOnce, waiting }: QueueOptions) {
  const turns: (() => void)[] = [];
  let running = 0;

  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (turns.length >= waiting)
        throw new UnavailableError("access", "Too many API keys wait to be checked.");
      await new Promise<void>((resolve) => void turns.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // The turn is handed on, so that nobody who comes now overtakes those who wait.
      const next = turns.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
