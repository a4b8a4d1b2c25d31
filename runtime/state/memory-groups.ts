import type { WindowStep } from "./state.ts";

interface Group<Value> {
  readonly value: Value;
  readonly expiresAt: number;
}

/**
 * Values of groups that expire. Those of one series are all kept for the same span after their last use, so
 * that the order of use is the order of expiry, and only the first ones need be looked at.
 */
export function createGroups<Value>(now: () => number) {
  const groups = new Map<string, Group<Value>>();
  const used = new Map<string, Set<string>>();

  function sweep(keys: Set<string>): void {
    for (const key of keys) {
      if ((groups.get(key)?.expiresAt ?? 0) > now()) return;
      groups.delete(key);
      keys.delete(key);
    }
  }

  return {
    get(key: string): Value | undefined {
      const group = groups.get(key);
      return group && group.expiresAt > now() ? group.value : undefined;
    },
    /** How many groups of a series there are. */
    size(series: string): number {
      for (const [name, keys] of used) {
        sweep(keys);
        if (keys.size === 0) used.delete(name);
      }
      return used.get(series)?.size ?? 0;
    },
    /** Sets the value and counts as a use. */
    set({ series, key }: Pick<WindowStep, "series" | "key">, value: Value, expiresAt: number): void {
      groups.set(key, { value, expiresAt });
      const keys = used.get(series) ?? new Set();
      used.set(series, keys);
      keys.delete(key);
      keys.add(key);
    },
  };
}
