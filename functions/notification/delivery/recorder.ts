import { ExponentialBackoff, handleType, retry } from "cockatiel";

import { UnavailableError } from "../../../runtime/failure.ts";
import { createBatcher } from "../../../runtime/postgres/batch.ts";
import type { DeliveryStore, Ended } from "./store.ts";

/** Writes how attempts ended. */
export interface Recorder {
  /** Resolves once it is written; what ends meanwhile goes into one statement with it. */
  add(ended: Ended): Promise<void>;
  /** Resolves once all that was added until now is written, or given up. */
  written(): Promise<void>;
}

const limits = { maxItems: 500, maxQueued: 100_000, deadlineMs: 15_000 };

/**
 * Tries until it is written, because a worker that forgets what it sent sends it again. A process that
 * dies in between causes one more attempt after the lease, under the same id. Only a signal ends that.
 */
export function createRecorder({ record }: Pick<DeliveryStore, "record">, signal: AbortSignal): Recorder {
  const batcher = createBatcher<Ended, void>({
    ...limits,
    async flush(attempts) {
      for (const round of roundsOf(attempts)) await record(round);
      return attempts.map(() => undefined);
    },
  });
  const untilDone = retry(handleType(UnavailableError), {
    maxAttempts: Number.POSITIVE_INFINITY,
    backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 2000 }),
  });
  const unwritten = new Set<Promise<void>>();

  return {
    async add(ended) {
      const writing = untilDone.execute(() => batcher.add(ended), signal);
      unwritten.add(writing);
      try {
        await writing;
      } finally {
        unwritten.delete(writing);
      }
    },
    async written() {
      await Promise.allSettled(unwritten);
    },
  };
}

/** A statement may change a row only once: a second attempt of a delivery waits for the next round. */
function roundsOf(attempts: readonly Ended[]): readonly (readonly Ended[])[] {
  const rounds: Map<string, Ended>[] = [];
  for (const ended of attempts) {
    const { id } = ended.claim;
    const round = rounds.find((each) => !each.has(id));
    if (round) round.set(id, ended);
    else rounds.push(new Map([[id, ended]]));
  }
  return rounds.map((round) => [...round.values()]);
}
