/** A map whose entries expire; what has expired is swept out before the map doubles. */
export function createExpiring<Value>(now: () => number, expiresAt: (value: Value) => number) {
  const entries = new Map<string, Value>();
  let sweepAt = 1024;
  return {
    get(key: string): Value | undefined {
      const value = entries.get(key);
      return value !== undefined && expiresAt(value) > now() ? value : undefined;
    },
    set(key: string, value: Value): void {
      entries.set(key, value);
      if (entries.size < sweepAt) return;
      for (const [known, held] of entries) if (expiresAt(held) <= now()) entries.delete(known);
      sweepAt = Math.max(1024, entries.size * 2);
    },
  };
}
