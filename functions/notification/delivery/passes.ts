/** Why a pass is made: to look whether anything is due, or because there is room for more of what was seen. */
export type Reason = "look" | "more";

export interface PassesDeps {
  /** One pass; rejects when it cannot be made now. */
  readonly pass: (reason: Reason) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  /** Called whenever no pass is under way or wanted. */
  readonly onRest: () => void;
  /** How often is looked when nothing else says so. */
  readonly pollMs: number;
  readonly elapsed: () => number;
}

export interface Passes {
  /** A pass, soon. */
  ask(reason: Reason): void;
  /** A look in so many milliseconds at the latest. */
  lookIn(ms: number): void;
  isResting(): boolean;
  /** No further look by itself; who asks still gets a pass. */
  stop(): void;
}

/** Shortest time between two looks that the clock asks for: what another process holds is not spun on. */
const leastMs = 20;

/**
 * Makes passes, one at a time: when asked, when the time has come, and now and then for what another
 * process left behind. Whoever asks during a pass gets another one: that one may have looked too early.
 */
export function createPasses({ pass, onFailure, onRest, pollMs, elapsed }: PassesDeps): Passes {
  let wanted: Reason | undefined;
  let running: Promise<void> | undefined;
  let timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  let isStopped = false;

  async function passAll(): Promise<void> {
    while (wanted) {
      const reason = wanted;
      wanted = undefined;
      // oxlint-disable-next-line no-await-in-loop -- one pass at a time
      await pass(reason).catch(onFailure);
    }
    running = undefined;
    lookIn(pollMs);
    onRest();
  }

  function ask(reason: Reason): void {
    if (wanted !== "look") wanted = reason;
    running ??= passAll();
  }

  function lookIn(ms: number): void {
    if (isStopped) return;
    const waitMs = Math.min(pollMs, Math.max(leastMs, ms));
    const at = elapsed() + waitMs;
    if (timer && timer.at <= at) return;
    clearTimeout(timer?.handle);
    const handle = setTimeout(() => {
      timer = undefined;
      ask("look");
    }, waitMs).unref();
    timer = { at, handle };
  }

  return {
    ask,
    lookIn,
    isResting: () => running === undefined,
    stop() {
      isStopped = true;
      clearTimeout(timer?.handle);
    },
  };
}
