import type { TimerRequest } from "../../../runtime/ledger/ledger.ts";
import type { Verdict } from "../verdict.ts";
import type { Part } from "./plan.ts";

interface Timing {
  readonly latenessMs: number;
  /** This process's clock; only saves work, for the ledger's clock decides. */
  readonly now: number;
}

/** Clocks disagree by less than this: as far ahead as an event may be of the ledger's. */
const clockToleranceMs = 5 * 60_000;

/**
 * The timers an event asks for: of each group it counts for, and of every correlation of correlations that it
 * may matter to as a whole, whose groups are other events' affair.
 *
 * The bucket of the event always waits for it. Others that it can affect wait for events of their own, and
 * need this one's timer only when it comes after theirs were settled.
 */
export function timersOf(
  { verdict, time }: { readonly verdict: Verdict; readonly time: number },
  timing: Timing,
): readonly TimerRequest[] {
  const groups = [
    ...verdict.hits.map(({ part, group }) => ({ part, group: group.key })),
    ...verdict.chains.map((part) => ({ part, group: "" })),
  ];
  return groups
    .filter(({ part }) => part.mode === "settled")
    .flatMap(({ part, group }) =>
      bucketsAround(part, time, timing).map((bucket) => request({ part, group, bucket, time }, timing)),
    );
}

interface Place {
  readonly part: Part;
  readonly group: string;
  readonly bucket: number;
  readonly time: number;
}

function request({ part, group, bucket, time }: Place, { latenessMs }: Timing): TimerRequest {
  const { timespanMs } = part.correlation;
  const endsAt = (bucket + 1) * timespanMs + part.reach.after;
  const timer = { series: part.series, group, bucket, endsAt, latenessMs };
  return bucket === Math.floor(time / timespanMs) ? timer : { ...timer, onlyWhenLate: true };
}

/**
 * The bucket of an event, and of the others whose positions it can affect those that may be settled by now.
 * The rest is not even listed: of a short correlation of a long one they are very many.
 */
function bucketsAround(
  { correlation: { timespanMs }, reach }: Part,
  time: number,
  { latenessMs, now }: Timing,
): readonly number[] {
  const own = Math.floor(time / timespanMs);
  const first = Math.floor((time - reach.after) / timespanMs);
  const settled = Math.floor((now + clockToleranceMs - latenessMs - reach.after) / timespanMs) - 1;
  const last = Math.min(settled, Math.floor((time + reach.before - 1) / timespanMs));
  const buckets = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  return own > last ? [...buckets, own] : buckets;
}
