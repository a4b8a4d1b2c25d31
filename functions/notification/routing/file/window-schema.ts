import { z } from "zod";

import type { Range } from "../windows.ts";
import { isZone } from "../zone.ts";

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;
const months = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
] as const;

/** A text that `read` understands; what it does not is refused with what is allowed. */
function readAs<Result>(
  read: (text: string) => Result | undefined,
  { message, allowed }: { readonly message: string; readonly allowed: string },
) {
  return z.unknown().transform((value, context): Result => {
    const isText = typeof value === "string" || typeof value === "number";
    const result = isText ? read(String(value).trim().toLowerCase()) : undefined;
    if (result !== undefined) return result;
    context.addIssue({ code: "custom", message, params: { allowed } });
    return z.NEVER;
  });
}

/** Minutes of the day of `HH:MM`; 24:00 is the end of the day. */
function minuteOf(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) <= 59 && minute <= 1440 ? minute : undefined;
}

function timesOf(text: string): Range | undefined {
  const [, from = "", to = ""] = /^(\S+?)\s*-\s*(\S+)$/.exec(text) ?? [];
  const [start, end] = [minuteOf(from), minuteOf(to)];
  return start === undefined || end === undefined || start === end || start === 1440
    ? undefined
    : { from: start, to: end };
}

/** The numbers of `first:last`, counting on past the end, or of one name. */
function namesOf(names: readonly string[], first: number) {
  const numberOf = (name: string) => {
    const found = names.findIndex((known) => known === name || known.slice(0, 3) === name);
    return found < 0 ? undefined : found + first;
  };
  return (text: string): readonly number[] | undefined => {
    const [from, to = from, more] = text.split(":").map(numberOf);
    if (from === undefined || to === undefined || more !== undefined) return undefined;
    const length = ((to - from + names.length) % names.length) + 1;
    return Array.from({ length }, (_, index) => ((from - first + index) % names.length) + first);
  };
}

function monthsOf(text: string): readonly number[] | undefined {
  const named = text.replaceAll(/\d+/g, (digits) => months[Number(digits) - 1] ?? digits);
  return namesOf(months, 1)(named);
}

function isDay(day: number): boolean {
  return Number.isInteger(day) && day !== 0 && Math.abs(day) <= 31;
}

function daysOf(text: string): Range | undefined {
  const [from = Number.NaN, to = from, more] = text
    .split(":")
    .map((part) => (/^-?\d+$/.test(part) ? Number(part) : Number.NaN));
  const isOrdered = Math.sign(from) !== Math.sign(to) || from <= to;
  return isDay(from) && isDay(to) && isOrdered && more === undefined ? { from, to } : undefined;
}

/** A time of the day, in minutes. */
export const clockSchema = readAs((text) => (text === "24:00" ? undefined : minuteOf(text)), {
  message: "is no time of the day",
  allowed: "a time from '00:00' to '23:59'",
});

export const zoneSchema = z.string().refine(isZone, {
  error: "is no time zone",
  params: { allowed: "a name of the IANA time zone database such as Europe/Berlin or UTC" },
});

export const weekdaysSchema = z
  .array(
    readAs(namesOf(weekdays, 0), {
      message: "is no weekday",
      allowed: "a weekday or a range of them such as saturday, monday:friday",
    }),
  )
  .transform((ranges) => [...new Set(ranges.flat())]);

const times = readAs(timesOf, {
  message: "is no time of the day",
  allowed: "from-to such as 08:00-17:30 or, past midnight, 22:00-06:00",
});
const days = readAs(daysOf, {
  message: "is no day of the month",
  allowed: "a day from 1 to 31, from the end from -1 to -31, or a range of them such as 1:7, -3:-1",
});
const monthRange = readAs(monthsOf, {
  message: "is no month",
  allowed: "a month or a range of them such as december, 6:8, november:february",
});

/** Times that come again and again. */
export const windowSchema = z
  .strictObject({
    weekdays: weekdaysSchema.default([]),
    times: z.array(times).default([]),
    days_of_month: z.array(days).default([]),
    months: z
      .array(monthRange)
      .transform((ranges) => [...new Set(ranges.flat())])
      .default([]),
    location: zoneSchema.default("UTC"),
  })
  .superRefine(({ weekdays, times, days_of_month, months }, context) => {
    if (weekdays.length + times.length + days_of_month.length + months.length > 0) return;
    const allowed = "at least one of weekdays, times, days_of_month, months";
    context.addIssue({ code: "custom", message: "is at all times", params: { allowed } });
  });
