import { parseInstant } from "../../../events/time.ts";
import { QueryError } from "./error.ts";
import { type EnumKey, toName } from "./keys.ts";
import type { Value } from "./scan.ts";
import { suggest } from "./suggest.ts";

/** What people call some values for short. */
const shortNames: Readonly<Record<string, string>> = { info: "informational", ack: "acknowledged" };

/** One of an enumeration's values; in any case, `-` for `_`. Throws QueryError. */
export function toEnumValue(key: EnumKey, value: Value): string {
  const name = toName(value.text);
  const wanted = Object.hasOwn(shortNames, name) ? shortNames[name] : name;
  const found = key.values.find((known) => known.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const known = key.values.map((each) => each.toLowerCase());
  throw new QueryError(`"${value.text}" is no ${key.name}`, value, {
    expected: `one of ${known.join(", ")}`,
    suggestion: suggest(name, known),
  });
}

/** A number of events: digits. Throws QueryError. */
export function toCount(value: Value): number {
  if (/^\d{1,15}$/.test(value.text) && !value.isQuoted) return Number(value.text);
  throw new QueryError(`"${value.text}" is no whole number`, value, { expected: "up to 15 digits" });
}

/** A number as JSON has it, as far as it is exact. Throws QueryError. */
export function toDataNumber(value: Value): number {
  const number = Number(value.text);
  if (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(value.text) && !value.isQuoted && Number.isFinite(number))
    return number;
  throw new QueryError(`"${value.text}" is no number`, value, { expected: "a number such as 22 or 0.5" });
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longer ago than this (100 years) nothing was seen. */
const longestMs = 36_525 * 86_400_000;

/** An instant, or how long ago, in milliseconds. Throws QueryError. */
export function toMoment(value: Value): { readonly instant: number } | { readonly ago: number } {
  const ago = durationOf(value.text);
  if (ago !== undefined && ago <= longestMs) return { ago };
  const instant = parseInstant(
    /^\d{4}-\d{2}-\d{2}$/.test(value.text) ? `${value.text}T00:00:00Z` : value.text,
  );
  if (instant !== undefined) return { instant };
  throw new QueryError(`"${value.text}" is no time`, value, {
    expected:
      "a duration such as 15m, 2h, 7d (up to 100 years) or a date and time such as 2026-11-21T12:00:00Z",
  });
}

function durationOf(text: string): number | undefined {
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (unitMs[unit ?? ""] ?? 0),
    0,
  );
}
