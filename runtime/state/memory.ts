import { createExpiring } from "./expiring.ts";
import { createMemoryWindows } from "./memory-windows.ts";
import { windowIdleMs, windowLimits } from "./state.ts";
import type { State, WindowLimits, WindowName } from "./state.ts";

export interface MemoryStateOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly limits?: WindowLimits | undefined;
}

/** Members that are remembered for a while: those told of from the ledger, those admitted. */
interface Remembered {
  readonly members: Set<string>;
  readonly expiresAt: number;
}

/**
 * State inside one process. Its windows start uncovered, so that an embedded system that was restarted
 * rebuilds them from the ledger before it trusts them.
 */
export function createMemoryState({ now, limits = windowLimits }: MemoryStateOptions): State {
  const told = createExpiring<Remembered>(now, (bucket) => bucket.expiresAt);
  const admitted = createExpiring<Remembered>(now, (key) => key.expiresAt);
  const values = new Map<string, string>();

  return {
    ...createMemoryWindows({ now, limits }),

    confirmLate: async (name, recorded) => {
      for (const { bucket, members } of recorded) {
        const known = told.get(toldKey(name, bucket))?.members ?? new Set();
        for (const { member } of members) known.add(member);
        told.set(toldKey(name, bucket), { members: known, expiresAt: now() + windowIdleMs });
      }
    },
    unconfirmedLate: async (name, buckets) =>
      buckets.map((part) => {
        const known = told.get(toldKey(name, part.bucket))?.members;
        return { ...part, members: part.members.filter(({ member }) => !known?.has(member)) };
      }),

    admit: async ({ key, member, limit, rememberMs }) => {
      const members = admitted.get(key)?.members ?? new Set();
      if (members.has(member)) return true;
      if (members.size >= limit) return false;
      members.add(member);
      admitted.set(key, { members, expiresAt: now() + rememberMs });
      return true;
    },

    read: async (key) => {
      const text = values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    write: async (key, value) => {
      values.set(key, JSON.stringify(value));
    },

    [Symbol.asyncDispose]: async () => {},
  };
}

function toldKey({ key }: WindowName, bucket: number): string {
  return `${bucket} ${key}`;
}
