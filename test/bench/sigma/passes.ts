import type { Matcher } from "../../../functions/analysis/sigma/matching/matcher.ts";
import type { EventLogsource } from "../../../functions/analysis/sigma/language/logsource.ts";
import type { Subject } from "../measure.ts";

/** Shorter times are mostly noise. */
const leastMicroseconds = 60_000;
/** So many parsed events are at hand at a time: few enough to stay in the cache, as when each is parsed alone. */
const batch = 100;

/**
 * Nanoseconds of this thread's processor time that a step takes for each event. Every event is prepared
 * anew, outside of the time: an object that was matched before is cheaper to match again, because the
 * hashes of its texts are known by then.
 */
function timeEach<Prepared>(
  lines: readonly string[],
  prepare: (line: string) => Prepared,
  step: (prepared: Prepared) => unknown,
): number {
  let spent = 0;
  let events = 0;
  for (let from = 0; spent < leastMicroseconds; from = (from + batch) % lines.length) {
    const prepared = lines.slice(from, from + batch).map(prepare);
    const before = process.threadCpuUsage();
    for (const one of prepared) step(one);
    const { user, system } = process.threadCpuUsage(before);
    spent += user + system;
    events += prepared.length;
  }
  return (spent * 1000) / events;
}

/** What parsing costs: the unit of everything else. */
export function parsing(lines: readonly string[]): Subject {
  return { name: "JSON.parse", measure: () => timeEach(lines, String, JSON.parse) };
}

/** What matching costs, and how many rules match. */
export function matching(
  name: string,
  lines: readonly string[],
  {
    matcher,
    logsource,
    aim,
  }: { readonly matcher: Matcher; readonly logsource: EventLogsource; readonly aim?: number },
): Subject {
  const matched = lines.reduce((sum, line) => sum + matcher.match(parse(line), logsource).length, 0);
  return {
    name,
    measure: () => timeEach(lines, parse, (event) => matcher.match(event, logsource)),
    aim: aim === undefined ? undefined : { atMost: aim },
    note: `${(matched / lines.length).toFixed(2)} matches an event`,
  };
}

function parse(line: string): object {
  return JSON.parse(line) as object;
}
