/** The state of one thing a function depends on. */
export interface DependencyStatus {
  readonly name: string;
  readonly up: boolean;
  /** Since when, RFC 3339. */
  readonly since: string;
  readonly detail?: string;
  /** What does not work while it is down, in words for people. */
  readonly impairs: readonly string[];
  /** Whether the function is not ready while it is down. */
  readonly required: boolean;
}

interface DependencyOptions {
  readonly impairs: readonly string[];
  /** False for what only impairs a feature; default true. */
  readonly required?: boolean;
}

/** Collects what a function knows about its dependencies, for `/readyz` and `/healthz`. */
export interface Health {
  /** Registers a dependency; it counts as down until `up` is called. */
  dependency(name: string, options: DependencyOptions): DependencyHandle;
  statuses(): readonly DependencyStatus[];
}

export interface DependencyHandle {
  up(): void;
  down(reason: unknown): void;
}

/** The collector itself; `now` stamps `since`. */
export function createHealth(now: () => number): Health {
  const known = new Map<string, DependencyStatus>();
  return {
    dependency(name, { impairs, required = true }) {
      const set = (up: boolean, detail?: string) => {
        const before = known.get(name);
        const since = before?.up === up ? before.since : new Date(now()).toISOString();
        known.set(name, { name, up, since, impairs, required, ...(detail === undefined ? {} : { detail }) });
      };
      set(false, "not connected yet");
      return {
        up: () => set(true),
        down: (reason) => set(false, reason instanceof Error ? reason.message : String(reason)),
      };
    },
    statuses: () => [...known.values()],
  };
}
