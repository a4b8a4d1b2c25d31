import { setTimeout as pause } from "node:timers/promises";

/** A fixed amount of work done by some callers at once. */
export interface Calls {
  readonly callers: number;
  readonly count: number;
}

/** Calls a second by some callers, each with one call under way at a time. */
export async function callsPerSecond(
  { callers, count }: Calls,
  call: () => Promise<unknown>,
): Promise<number> {
  let left = count;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return count / ((performance.now() - started) / 1000);
}

/** `1 caller`, `100 callers`. */
export function nameOf(callers: number): string {
  return `${callers} caller${callers === 1 ? "" : "s"}`;
}

/** Repeats what fails until it works; a dependency is connected to in the background. */
export async function untilConnected(work: () => PromiseLike<unknown>): Promise<void> {
  const until = performance.now() + 15_000;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(20);
    }
  }
}
