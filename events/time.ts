const dateTime =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|[+-]\d{2}:?\d{2}|UTC)?Z?$/;

/** Epoch numbers below this are seconds, from here on milliseconds (both about the year 2000 to 5000). */
const millisecondsFrom = 100_000_000_000;

/**
 * A point in time in epoch milliseconds, from RFC 3339 text, from its frequent misspellings (a space for
 * the `T`, the predecessor's `+00:00Z`, no offset, which is read as UTC) or from an epoch number in
 * seconds or milliseconds. `undefined` when the value is none of these.
 */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || value <= 0) return undefined;
    const ms = Math.round(value < millisecondsFrom ? value * 1000 : value);
    return ms <= 8.64e15 ? ms : undefined;
  }
  if (typeof value !== "string" || value.length > 64) return undefined;
  const parts = dateTime.exec(value.trim());
  if (!parts) return undefined;
  const [, date, time, zone = "Z"] = parts;
  const offset = zone === "UTC" || zone === "z" ? "Z" : zone;
  const ms = Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** RFC 3339 in UTC with milliseconds and one `Z`. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
