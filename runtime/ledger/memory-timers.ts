import type { DueTimer, TimerClaim, TimerName, TimerRequest } from "./ledger.ts";
import { timerKey } from "./timers.ts";

interface Timer extends TimerName {
  dueAt: number;
  /** Counts up whenever it is armed for later, so that who claimed it before can be told. */
  armed: number;
  leasedUntil: number;
}

export interface MemoryTimers {
  arm(requests: readonly TimerRequest[]): void;
  size(): number;
  claim(claim: TimerClaim): readonly DueTimer[];
  /** Removes the timer when it is the one that was claimed. */
  remove(timer: DueTimer): boolean;
}

/** The timers of the ledger in memory. `now` is its clock. */
export function createMemoryTimers(now: () => number): MemoryTimers {
  const timers = new Map<string, Timer>();
  let armings = 0;

  function arm({ series, group, bucket, endsAt, latenessMs, onlyWhenLate }: TimerRequest): void {
    if (onlyWhenLate && endsAt + latenessMs > now()) return;
    const dueAt = Math.max(endsAt, now()) + latenessMs;
    const key = keyOf({ series, group, bucket });
    const known = timers.get(key) ?? { series, group, bucket, dueAt: -1, armed: 0, leasedUntil: -1 };
    if (known.dueAt >= dueAt && known.dueAt > now()) return;
    armings += 1;
    timers.set(key, { ...known, dueAt: Math.max(known.dueAt, dueAt), armed: armings });
  }

  return {
    arm: (requests) => requests.forEach(arm),
    size: () => timers.size,
    claim({ limit, leaseMs }) {
      const due = [...timers.values()]
        .filter(({ dueAt, leasedUntil }) => dueAt <= now() && leasedUntil <= now())
        .toSorted((a, b) => a.leasedUntil - b.leasedUntil || a.dueAt - b.dueAt)
        .slice(0, limit)
        .toSorted((a, b) => a.dueAt - b.dueAt || a.armed - b.armed);
      for (const timer of due) timer.leasedUntil = now() + leaseMs;
      return due.map(({ series, group, bucket, dueAt, armed }) => {
        return { series, group, bucket, dueAt, overdueMs: now() - dueAt, token: String(armed) };
      });
    },
    remove(timer) {
      const known = timers.get(keyOf(timer));
      return String(known?.armed) === timer.token && timers.delete(keyOf(timer));
    },
  };
}

const keyOf = (timer: TimerName) => timerKey(timer).toString("hex");
