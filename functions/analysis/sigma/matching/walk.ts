import { hasOwnKeysOnly, isOwn, isPolluted, readKey, someText } from "./values.ts";

/** Deeper and larger events are walked by the definition, which needs no stack and ends on cycles. */
const deepest = 32;
const mostContainers = 10_000;

/**
 * Visits every text, number and boolean anywhere in an event, for keywords; see `someText`, which says
 * what belongs to it. Never throws.
 */
export function createWalk(visit: (value: unknown) => void): (event: object) => void {
  let containers = 0;
  let polluted = false;
  return (event) => {
    containers = 0;
    polluted = isPolluted();
    let whole = false;
    try {
      whole = enter(event, 0);
    } catch {
      // A getter or a proxy threw.
    }
    if (whole) return;
    someText(event, (text) => {
      visit(text);
      return false;
    });
  };

  /** Answers false when it gave up; what it visited until then is visited again, which changes nothing. */
  function enter(container: object, depth: number): boolean {
    containers += 1;
    if (depth > deepest || containers > mostContainers) return false;
    if (Array.isArray(container)) {
      for (const member of container as readonly unknown[]) if (!see(member, depth)) return false;
      return true;
    }
    const isPlain = hasOwnKeysOnly(container, polluted);
    for (const key in container) {
      if (!isPlain && !isOwn(container, key)) continue;
      if (!see(readKey(container, key), depth)) return false;
    }
    return true;
  }

  function see(value: unknown, depth: number): boolean {
    if (typeof value === "object") return value === null || enter(value, depth + 1);
    if (value !== undefined && typeof value !== "function" && typeof value !== "symbol") visit(value);
    return true;
  }
}
