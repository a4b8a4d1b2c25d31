/** What `parseInstant` reads of text: RFC 3339 and its frequent misspellings. */
export const instantPattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|[+-]\d{2}:?\d{2}|UTC)?Z?$/;
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-](\d{2}):(\d{2}))$/;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

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
  const parts = instantPattern.exec(value.trim());
  if (!parts) return undefined;
  const [, date = "", time = "", zone = "Z"] = parts;
  const offset = zone === "UTC" || zone === "z" ? "Z" : zone;
  // A leap second, which Date does not know, is the instant after the second before it.
  const leap = time.slice(5, 8) === ":60" ? 1000 : 0;
  const ms = isDay(date) ? Date.parse(`${date}T${leap ? time.replace(":60", ":59") : time}${offset}`) : NaN;
  return Number.isNaN(ms) ? undefined : ms + leap;
}

/** Whether the text is a date and time exactly as RFC 3339 §5.6 has it. */
export function isRfc3339(value: string): boolean {
  const parts = rfc3339.exec(value);
  if (!parts) return false;
  const [, date = "", hour, minute, second, offsetHour, offsetMinute] = parts.map((part) => part ?? "00");
  return (
    isDay(date) &&
    Number(hour) <= 23 &&
    Number(minute) <= 59 &&
    Number(second) <= 60 &&
    Number(offsetHour) <= 23 &&
    Number(offsetMinute) <= 59
  );
}

/** Whether `YYYY-MM-DD` is in the calendar; `Date.parse` takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  const leapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leapYear ? 29 : (daysOfMonth[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

/** RFC 3339 in UTC with milliseconds and one `Z`. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
