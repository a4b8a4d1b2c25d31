/** The state of one thing a function depends on. */
export interface DependencyStatus {
  readonly name: string;
  readonly up: boolean;
  /** Since when, RFC 3339. */
  readonly since: string;
  readonly detail?: string;
  /** What does not work while it is down, in words for people. */
  readonly impairs: readonly string[];
}

/** Collects what a function knows about its dependencies, for `/readyz` and `/healthz`. */
export interface Health {
  /** Registers a dependency; it counts as down until `up` is called. */
  dependency(name: string, options: { readonly impairs: readonly string[] }): DependencyHandle;
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
    dependency(name, { impairs }) {
      const set = (up: boolean, detail?: string) => {
        const before = known.get(name);
        const since = before?.up === up ? before.since : new Date(now()).toISOString();
        known.set(name, { name, up, since, impairs, ...(detail === undefined ? {} : { detail }) });
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
