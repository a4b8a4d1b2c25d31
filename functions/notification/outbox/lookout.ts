/** Looks for work when told to, when some is due, and now and then for what another process left behind. */
export interface Lookout {
  /** Looks soon; returns at once. */
  wake(): void;
  /** Looks no more; waits for the look that is under way. */
  stop(): Promise<void>;
}

export interface LookoutOptions {
  readonly pollMs: number;
  /** Looks once; answers in how many milliseconds something is due, `undefined` when nothing is known to be. */
  readonly look: () => Promise<number | undefined>;
  readonly onFailure: (error: unknown) => void;
}

/** A lookout that looks one time after the other, never twice at once, and does not keep the process. */
export function createLookout({ pollMs, look, onFailure }: LookoutOptions): Lookout {
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> | undefined;
  const state = { isWanted: false, isStopped: false };

  async function lookUntilDone(): Promise<void> {
    let dueMs: number | undefined;
    while (state.isWanted && !state.isStopped) {
      state.isWanted = false;
      dueMs = await look().catch((error: unknown) => {
        onFailure(error);
        return undefined;
      });
    }
    current = undefined;
    if (!state.isStopped) timer = setTimeout(wake, Math.min(pollMs, dueMs ?? pollMs)).unref();
  }

  function wake(): void {
    clearTimeout(timer);
    state.isWanted = true;
    if (!state.isStopped) current ??= lookUntilDone();
  }

  return {
    wake,
    async stop() {
      state.isStopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
