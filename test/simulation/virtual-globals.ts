import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";

import type { Scheduler } from "./scheduler.ts";

/**
 * Puts virtual time and seeded chance in place of the process's own, for as long as it is not disposed:
 * `setTimeout` (also the one of `node:timers/promises`), `Date.now`, `performance.now` and `Math.random`.
 * So product code that sets timers of its own (deadlines, group commit, senders) runs unchanged.
 */
export function installVirtualGlobals(scheduler: Scheduler, random: () => number): Disposable {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    delay: timers.setTimeout,
    dateNow: Date.now,
    random: Math.random,
  };
  const virtual = createVirtualTimers(scheduler);
  Object.assign(globalThis, { setTimeout: virtual.set, clearTimeout: virtual.clear });
  Object.assign(timers, { setTimeout: virtual.delay });
  syncBuiltinESMExports();
  Date.now = scheduler.now;
  Math.random = random;
  Object.defineProperty(performance, "now", { value: scheduler.now, configurable: true });
  return {
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Object.assign(timers, { setTimeout: real.delay });
      syncBuiltinESMExports();
      Date.now = real.dateNow;
      Math.random = real.random;
      Reflect.deleteProperty(performance, "now");
    },
  };
}

interface Handle {
  readonly cancel: () => void;
  ref(): Handle;
  unref(): Handle;
  hasRef(): boolean;
}

function createVirtualTimers(scheduler: Scheduler) {
  return {
    set: (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Handle => {
      const process = scheduler.current();
      const cancel = scheduler.after(ms, "timer", () => process.run(() => fire(...args)));
      const handle: Handle = { cancel, ref: () => handle, unref: () => handle, hasRef: () => false };
      return handle;
    },
    clear: (handle: Handle | undefined): void => handle?.cancel(),
    delay: async (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> => {
      signal?.throwIfAborted();
      await scheduler.sleep(ms, signal);
      signal?.throwIfAborted();
      return value;
    },
  };
}
