import type { Digest } from "./routes.ts";
import { instantOf, localTime, shiftDay } from "./zone.ts";

/** When an alert that came at `from` is told in a digest; always later. Epoch milliseconds. */
export function digestTime(digest: Digest, from: number): number {
  if ("everyMs" in digest) return from + digest.everyMs;
  const { at, location, weekdays } = digest;
  const today = localTime(location, from);
  for (let days = 0; days <= 8; days += 1) {
    const day = shiftDay(today, days);
    const instant = instantOf(location, day, at);
    if (instant > from && (weekdays.length === 0 || weekdays.includes(day.weekday))) return instant;
  }
  throw new RangeError("A digest without a weekday.");
}
