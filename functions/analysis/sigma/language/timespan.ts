import type { MapEntry } from "./document.ts";
import { limits } from "./limits.ts";
import { RuleError } from "./problem.ts";

const dayMs = 86_400_000;

/** A month is 30 days and a year is 365: a window has one length, whatever the calendar says. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", dayMs],
  ["w", 7 * dayMs],
  ["M", 30 * dayMs],
  ["y", 365 * dayMs],
]);

/** Milliseconds of a timespan such as `90s`, `15m` or `1M`; throws RuleError. */
export function parseTimespan({ key, value }: MapEntry): number {
  const text = value.kind === "scalar" ? String(value.value) : "";
  const [, count, unit] = /^(\d{1,9})([smhdwMy])$/.exec(text) ?? [];
  const timespanMs = Number(count) * (unitMs.get(unit ?? "") ?? Number.NaN);
  if (timespanMs > 0 && timespanMs <= limits.timespanDays * dayMs) return timespanMs;
  const expected = `a positive whole number and s, m, h, d, w, M or y, at most ${limits.timespanDays}d`;
  throw new RuleError("CORRELATION_INVALID", `'${key}' is '${text}'; expected ${expected}.`, value.at);
}
