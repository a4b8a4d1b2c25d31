import type { Log } from "../../../runtime/log.ts";

interface Call {
  /** Attempts that were made before. */
  readonly from: number;
  readonly resolve: (attempts: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Callers who wait for the worker to have delivered all that is due. */
export interface Calls {
  /** Resolves, with the attempts made meanwhile, at the next rest or after so many milliseconds. */
  add(counter: { readonly attempts: () => number }, forMs?: number): Promise<number>;
  settle(attempts: number): void;
  fail(error: unknown): void;
}

export function createCalls(log: Pick<Log, "debug">): Calls {
  const calls = new Set<Call>();
  return {
    async add(counter, forMs) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const call = { from: counter.attempts(), resolve, reject };
      calls.add(call);
      const enough = () => resolve(counter.attempts() - call.from);
      const timer = forMs === undefined ? undefined : setTimeout(enough, forMs);
      return await promise.finally(() => {
        clearTimeout(timer);
        calls.delete(call);
      });
    },
    settle(attempts) {
      for (const { from, resolve } of calls) resolve(attempts - from);
      calls.clear();
    },
    fail(error) {
      log.debug({ err: error }, "deliveries cannot be looked at or written");
      for (const { reject } of calls) reject(error);
      calls.clear();
    },
  };
}
