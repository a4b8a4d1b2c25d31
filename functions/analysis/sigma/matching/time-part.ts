import type { TimePart } from "../language/expression.ts";

/**
 * A part of a moment in UTC; `undefined` for what is no moment. Moments are texts as RFC 3339 writes a
 * date with a time (a blank may stand for the `T`, seconds may be missing, and without an offset it is
 * UTC), and numbers since the epoch: below 100,000,000,000 in seconds, from there on in milliseconds (as
 * seconds that is the year 5138, as milliseconds 1973).
 */
export function partOfTime(value: unknown, part: TimePart): number | undefined {
  const minutes = minutesOf(value);
  if (minutes === undefined) return undefined;
  if (part === "minute") return modulo(minutes, 60);
  if (part === "hour") return modulo(Math.floor(minutes / 60), 24);
  const days = Math.floor(minutes / (24 * 60));
  if (part === "week") return weekOf(days);
  const { year, month, day } = civilOf(days);
  if (part === "day") return day;
  return part === "month" ? month : year;
}

const written = new RegExp(
  String.raw`^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(?:[0-5]\d|60)(?:\.\d+)?)?(?:[Zz]|([+-])(\d\d):(\d\d))?$`,
);

/** JavaScript's own dates reach as far from the epoch; so does this. */
const furthest = 8.64e15 / 60_000;

function minutesOf(value: unknown): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") {
    const count = Number(value);
    const minutes = count / (Math.abs(count) < 1e11 ? 60 : 60_000);
    return Math.abs(minutes) <= furthest ? Math.floor(minutes) : undefined;
  }
  const found = typeof value === "string" ? written.exec(value) : null;
  if (!found) return undefined;
  const number = (group: number) => Number(found[group] ?? 0);
  const [year, month, day, hour, minute] = [number(1), number(2), number(3), number(4), number(5)];
  const offset = number(7) * 60 + number(8);
  if (hour > 23 || minute > 59 || number(7) > 23 || number(8) > 59) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const local = daysOf(year, month, day) * 24 * 60 + hour * 60 + minute;
  return found[6] === "-" ? local + offset : local - offset;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function daysIn(year: number, month: number): number {
  return (month === 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1)) - daysOf(year, month, 1);
}

/** Days since 1970-01-01; years are counted from March, so that the leap day comes last (Hinnant's algorithm). */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * modulo(month - 3, 12) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

function civilOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day };
}

/** ISO 8601: the week of a day is counted in the year its Thursday is in; 1970-01-01 was a Thursday. */
function weekOf(days: number): number {
  const thursday = days - modulo(days + 3, 7) + 3;
  return 1 + Math.floor((thursday - daysOf(civilOf(thursday).year, 1, 1)) / 7);
}
