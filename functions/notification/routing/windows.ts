import { daysInMonth, type LocalDay, localTime, instantOf, shiftDay, transitionIn } from "./zone.ts";

/** From a number to a number, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Times that come again and again, on the clock of a place. A list that is empty restricts nothing. */
export interface TimeWindow {
  /** Sunday is 0. */
  readonly weekdays: readonly number[];
  /** Minutes of the day; `to` is not included. One that ends before it begins goes on past midnight. */
  readonly times: readonly Range[];
  /** From 1, or from the end with -1 as the last day. */
  readonly daysOfMonth: readonly Range[];
  /** From 1. */
  readonly months: readonly number[];
  /** An IANA time zone. */
  readonly location: string;
}

const wholeDay: Range = { from: 0, to: 1440 };

/** Whether an instant (epoch milliseconds) lies in a window. A time past midnight belongs to the day before. */
export function contains(window: TimeWindow, instant: number): boolean {
  const { minute, ...today } = localTime(window.location, instant);
  const isToday = fitsDay(window, today);
  const isSinceYesterday = () => fitsDay(window, shiftDay(today, -1));
  return timesOf(window).some(({ from, to }) => {
    if (from < to) return isToday && from <= minute && minute < to;
    return (isToday && minute >= from) || (minute < to && isSinceYesterday());
  });
}

function timesOf({ times }: TimeWindow): readonly Range[] {
  return times.length > 0 ? times : [wholeDay];
}

function fitsDay(
  { weekdays, daysOfMonth, months }: TimeWindow,
  day: LocalDay & { readonly weekday: number },
): boolean {
  if (weekdays.length > 0 && !weekdays.includes(day.weekday)) return false;
  if (months.length > 0 && !months.includes(day.month)) return false;
  if (daysOfMonth.length === 0) return true;
  const last = daysInMonth(day);
  const count = (number: number) => (number < 0 ? last + 1 + number : number);
  return daysOfMonth.some(({ from, to }) => count(from) <= day.day && day.day <= count(to));
}

/** After 28 years weekdays, months and leap days come in the same order again. */
const cycleDays = 28 * 366;

function cycle(): readonly (LocalDay & { readonly weekday: number })[] {
  return Array.from({ length: cycleDays }, (_, day) => shiftDay({ year: 2001, month: 1, day: 1 }, day));
}

/** Whether no day has a time in a window, such as 31 February. */
export function isNever(window: TimeWindow): boolean {
  return !cycle().some((day) => fitsDay(window, day));
}

/** Whether a window has no gap: every minute of every day. */
export function isAlways(window: TimeWindow): boolean {
  const covered = timesOf(window)
    .flatMap(({ from, to }) =>
      from < to
        ? [{ from, to }]
        : [
            { from: 0, to },
            { from, to: 1440 },
          ],
    )
    .toSorted((a, b) => a.from - b.from)
    .reduce((end, { from, to }) => (from <= end ? Math.max(end, to) : end), 0);
  return covered >= 1440 && cycle().every((day) => fitsDay(window, day));
}

/** How many days ahead an end is looked for: any window but one of 29 February opens and closes in a year. */
const horizonDays = 400;

/**
 * The first instant after `from` at which `holds` answers false, where it can change its mind only when one
 * of the windows opens or closes. `undefined` when that is more than a year ahead.
 */
export function endOf(
  windows: readonly TimeWindow[],
  from: number,
  holds: (instant: number) => boolean,
): number | undefined {
  for (let day = -1; day <= horizonDays; day += 1) {
    const instants = windows.flatMap((window) => boundariesOf(window, from, day));
    for (const instant of instants.toSorted((a, b) => a - b)) {
      if (instant > from && !holds(instant)) return instant;
    }
  }
  return undefined;
}

/** Instants of a day, counted from today, at which a window may open or close. */
function boundariesOf(window: TimeWindow, from: number, day: number): readonly number[] {
  const { location } = window;
  const local = shiftDay(localTime(location, from), day);
  const minutes = new Set([0, 1440, ...timesOf(window).flatMap((range) => [range.from, range.to])]);
  const instants = [...minutes].map((minute) => instantOf(location, local, minute));
  const jump = transitionIn(location, Math.min(...instants), Math.max(...instants));
  if (jump === undefined) return instants;
  // An hour that comes twice opens and closes what lies in it twice.
  const again = [...minutes].flatMap((minute) => secondTime(location, { local, minute, jump }));
  return [...instants, jump, ...again];
}

interface Moment {
  readonly local: LocalDay;
  readonly minute: number;
  readonly jump: number;
}

function secondTime(location: string, { local, minute, jump }: Moment): readonly number[] {
  const first = instantOf(location, local, minute);
  if (first >= jump) return [];
  const shown = localTime(location, first).minute;
  return [30, 60, 120]
    .map((later) => first + later * 60_000)
    .filter((instant) => instant > jump && localTime(location, instant).minute === shown);
}
