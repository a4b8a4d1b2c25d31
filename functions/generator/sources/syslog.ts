import { parseInstant } from "../../../events/time.ts";

/** A line of a system log, taken apart; what it lacks is absent. */
export interface SyslogLine {
  /** Epoch milliseconds. */
  readonly time?: number;
  readonly host?: string;
  readonly program?: string;
  readonly pid?: string;
  readonly message: string;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const stamp =
  /^(?:<\d{1,3}>)?(?:(?<iso>\d{4}-\d\d-\d\dT\S+)|(?<month>[A-Z][a-z]{2}) {1,2}(?<day>\d{1,2}) (?<clock>\d\d:\d\d:\d\d)) (?<host>\S+) (?<rest>.*)$/s;
const tagged = /^(?<program>[A-Za-z][\w.-]*)(?:\[(?<pid>\d+)\])?:(?: (?<message>.*))?$/s;

const dayMs = 86_400_000;

/**
 * Reads a line as rsyslog, journalctl and sshd write it: `2026-11-21T12:00:03.1+01:00 host sshd[7]: …`,
 * `Nov 21 12:00:03 host sshd[7]: …`, or the bare message. A date without a year is read as UTC, in the year
 * that puts it closest before `receivedAt` (epoch milliseconds).
 */
export function parseSyslogLine(line: string, receivedAt: number): SyslogLine {
  const stamped = stamp.exec(line)?.groups;
  const rest = stamped?.["rest"] ?? line;
  const tag = tagged.exec(rest)?.groups;
  const time = stamped && timeOf(stamped, receivedAt);
  const { host } = stamped ?? {};
  const { program, pid } = tag ?? {};
  return {
    message: (tag === undefined ? rest : (tag["message"] ?? "")).trim(),
    ...(time === undefined ? {} : { time }),
    ...(host === undefined ? {} : { host }),
    ...(program === undefined ? {} : { program }),
    ...(pid === undefined ? {} : { pid }),
  };
}

function timeOf(
  { iso, month = "", day = "", clock = "" }: Record<string, string>,
  receivedAt: number,
): number | undefined {
  if (iso !== undefined) return parseInstant(iso);
  const number = months.indexOf(month) + 1;
  if (number === 0) return undefined;
  const year = new Date(receivedAt).getUTCFullYear();
  const date = `${String(number).padStart(2, "0")}-${day.padStart(2, "0")}T${clock}Z`;
  const thisYear = parseInstant(`${year}-${date}`);
  // A day of grace: the clocks of two machines need not agree on New Year's Eve.
  if (thisYear !== undefined && thisYear <= receivedAt + dayMs) return thisYear;
  return parseInstant(`${year - 1}-${date}`);
}
