/** What `parseInstant` reads of text: RFC 3339 and its frequent misspellings. */
export const instantPattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|[+-]\d{2}:?\d{2}|UTC)?Z?$/;

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The first and the last instant with a year of four digits in UTC, epoch milliseconds. */
const [firstMs, lastMs] = [-62_167_219_200_000, 253_402_300_799_999];

/** Epoch numbers below this are seconds, from here on milliseconds (both about the year 2000 to 5000). */
const millisecondsFrom = 100_000_000_000;

/**
 * A point in time in epoch milliseconds, from RFC 3339 text, from its frequent misspellings (a space for
 * the `T`, the predecessor's `+00:00Z`, no offset, which is read as UTC) or from an epoch number in
 * seconds or milliseconds. `undefined` when the value is none of these, and when its year in UTC is not
 * one of four digits.
 */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || value <= 0) return undefined;
    const ms = Math.round(value < millisecondsFrom ? value * 1000 : value);
    return isTold(ms) ? ms : undefined;
  }
  if (typeof value !== "string" || value.length > 64) return undefined;
  const parts = instantPattern.exec(value.trim());
  if (!parts) return undefined;
  const [, date = "", time = "", zone = "Z"] = parts;
  const offset = zone === "UTC" || zone === "z" ? "Z" : zone;
  // A leap second, which Date does not know, is the instant after the second before it.
  const leapMs = time.slice(5, 8) === ":60" ? 1000 : 0;
  const ms = isDay(date) ? Date.parse(`${date}T${leapMs ? time.replace(":60", ":59") : time}${offset}`) : NaN;
  return isTold(ms + leapMs) ? ms + leapMs : undefined;
}

/** Whether RFC 3339 can tell the instant: what could be read and not be written again helps nobody. */
function isTold(ms: number): boolean {
  return ms >= firstMs && ms <= lastMs;
}

/** RFC 3339 in UTC with milliseconds and one `Z`. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whether the text is a date and time exactly as RFC 3339 §5.6 has it. Runs for every event: no regex. */
export function isRfc3339(value: string): boolean {
  const isShaped =
    hasAt(value, 4, "-") &&
    hasAt(value, 7, "-") &&
    (hasAt(value, 10, "T") || hasAt(value, 10, "t")) &&
    hasAt(value, 13, ":") &&
    hasAt(value, 16, ":");
  return isShaped && isDay(value) && isClock(value) && isOffset(value, endOfFraction(value));
}

/**
 * Whether the text begins with `YYYY-MM-DD` of the calendar; `Date.parse` takes 30 February for 2 March.
 * NaN, for what is not a digit, fails every comparison.
 */
function isDay(value: string): boolean {
  const year = twoDigits(value, 0) * 100 + twoDigits(value, 2);
  const [month, day] = [twoDigits(value, 5), twoDigits(value, 8)];
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeapYear ? 29 : (daysOfMonth[month - 1] ?? 0);
  return year >= 0 && day >= 1 && day <= days;
}

/** A second of 60 is a leap second. */
function isClock(value: string): boolean {
  return twoDigits(value, 11) <= 23 && twoDigits(value, 14) <= 59 && twoDigits(value, 17) <= 60;
}

/** The index behind the fraction that may follow the seconds; NaN when it is a dot alone. */
function endOfFraction(value: string): number {
  if (!hasAt(value, 19, ".")) return 19;
  let end = 20;
  while (digit(value, end) <= 9) end++;
  return end === 20 ? NaN : end;
}

function isOffset(value: string, at: number): boolean {
  if (hasAt(value, at, "Z") || hasAt(value, at, "z")) return value.length === at + 1;
  if (!hasAt(value, at, "+") && !hasAt(value, at, "-")) return false;
  const isShaped = hasAt(value, at + 3, ":") && value.length === at + 6;
  return isShaped && twoDigits(value, at + 1) <= 23 && twoDigits(value, at + 4) <= 59;
}

function hasAt(value: string, index: number, character: string): boolean {
  return value.charCodeAt(index) === character.charCodeAt(0);
}

/** The number two digits make, or NaN. */
function twoDigits(value: string, index: number): number {
  return digit(value, index) * 10 + digit(value, index + 1);
}

/** The digit at the index, or NaN. */
function digit(value: string, index: number): number {
  const number = value.charCodeAt(index) - 0x30;
  return number >= 0 && number <= 9 ? number : NaN;
}
