/** A time on the clock on the wall. */
export interface LocalTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** Sunday is 0. */
  readonly weekday: number;
  /** Of the day, from 0. */
  readonly minute: number;
}

export type LocalDay = Pick<LocalTime, "year" | "month" | "day">;

const minuteMs = 60_000;
const dayMs = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the name is one of the IANA time zone database, such as `Europe/Berlin`. */
export function isZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** Making one takes long, using it does not; there are some 600 zones at most. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(zone, format);
  return format;
}

/** The wall clock of a zone as if it showed UTC, epoch milliseconds, whole seconds. */
function wallOf(zone: string, instant: number): number {
  const parts = formatOf(zone).formatToParts(instant);
  const read = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(read("year"), read("month") - 1, read("day"), read("hour"), read("minute"), read("second"));
}

function offsetOf(zone: string, instant: number): number {
  const seconds = Math.floor(instant / 1000) * 1000;
  return wallOf(zone, seconds) - seconds;
}

/** What the clock in a zone shows at an instant (epoch milliseconds). */
export function localTime(zone: string, instant: number): LocalTime {
  const wall = new Date(wallOf(zone, instant));
  return {
    ...dayOf(wall),
    weekday: wall.getUTCDay(),
    minute: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
  };
}

function dayOf(wall: Date): LocalDay {
  return { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
}

/** A day some days later or earlier, with its weekday. */
export function shiftDay(
  { year, month, day }: LocalDay,
  days: number,
): LocalDay & { readonly weekday: number } {
  const wall = new Date(Date.UTC(year, month - 1, day + days));
  return { ...dayOf(wall), weekday: wall.getUTCDay() };
}

/** How many days the month of a day has. */
export function daysInMonth({ year, month }: LocalDay): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/**
 * The first instant (epoch milliseconds) at which the clock in a zone shows a minute of a day. A minute
 * that is left out in spring is the instant of the jump; one that comes twice in autumn is the first.
 */
export function instantOf(zone: string, { year, month, day }: LocalDay, minute: number): number {
  const wall = Date.UTC(year, month - 1, day) + minute * minuteMs;
  const candidates = [wall - dayMs, wall + dayMs].map((near) => wall - offsetOf(zone, near));
  const shown = candidates.filter((instant) => wallOf(zone, instant) === wall);
  if (shown.length > 0) return Math.min(...shown);
  return transitionIn(zone, Math.min(...candidates), Math.max(...candidates)) ?? Math.max(...candidates);
}

/** The instant at which a zone's offset changes, of one change at most between two instants. */
export function transitionIn(zone: string, from: number, to: number): number | undefined {
  const before = offsetOf(zone, from);
  if (offsetOf(zone, to) === before) return undefined;
  let [low, high] = [from, to];
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (middle <= low) break;
    if (offsetOf(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
