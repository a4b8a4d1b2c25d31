import type { Matcher } from "../../../functions/analysis/sigma/matching/matcher.ts";
import type { EventLogsource } from "../../../functions/analysis/sigma/language/logsource.ts";
import type { Subject } from "../measure.ts";

/** The clock of processor time ticks in milliseconds: shorter than this nothing is measured. */
const leastMicroseconds = 60_000;

/** Nanoseconds of this thread's processor time for each event, over as many passes as give a time worth measuring. */
function timePass(lines: readonly string[], step: (line: string) => unknown): number {
  const before = process.threadCpuUsage();
  for (let events = lines.length; ; events += lines.length) {
    for (const line of lines) step(line);
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= leastMicroseconds) return ((user + system) * 1000) / events;
  }
}

/** What parsing costs: the unit of everything else. */
export function parsing(lines: readonly string[]): Subject {
  return { name: "JSON.parse", measure: () => timePass(lines, JSON.parse) };
}

/**
 * What matching adds to parsing. Every event is parsed anew, because an object that was matched before is
 * cheaper to match again (the hashes of its texts are known then): so this is the difference of two
 * passes, one after the other.
 */
export function matching(
  name: string,
  lines: readonly string[],
  {
    matcher,
    logsource,
    aim,
  }: { readonly matcher: Matcher; readonly logsource: EventLogsource; readonly aim?: number },
): Subject {
  const matched = lines.reduce((sum, line) => sum + matcher.match(JSON.parse(line), logsource).length, 0);
  return {
    name,
    measure: () => {
      const parsed = timePass(lines, JSON.parse);
      const both = timePass(lines, (line) => matcher.match(JSON.parse(line), logsource));
      return Math.max(both - parsed, 1);
    },
    aim: aim === undefined ? undefined : { atMost: aim },
    note: `${(matched / lines.length).toFixed(2)} matches an event`,
  };
}
