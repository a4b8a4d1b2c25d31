import type { Route, Routes } from "./routes.ts";
import { contains, endOf, type TimeWindow } from "./windows.ts";

/** What holds a route's messages back, and until when (epoch milliseconds; absent: for more than a year). */
export interface Hold {
  /** `mute_time/<name>`, or `active_time/<names>` outside of the times a route is active. */
  readonly by: string;
  readonly until?: number | undefined;
}

/** A time through which a route is silent without a break. */
interface Span {
  readonly from: number;
  readonly until: number | undefined;
}

const knownSpans = new WeakMap<Routes["muteTimes"], Map<string, Span>>();
/** An end that is too far away to be seen comes nearer. */
const recheckMs = 86_400_000;

/** Whether a route is silent at an instant: within one of its mute times, or outside all its active times. */
export function holdOf(
  route: Pick<Route, "muteTimes" | "activeTimes">,
  muteTimes: Routes["muteTimes"],
  now: number,
): Hold | undefined {
  const by = holderAt(now);
  if (by === undefined) return undefined;
  return { by, until: untilOf() };

  /** To find an end takes a look at up to 400 days, and a storm of alerts asks for the same one each time. */
  function untilOf(): number | undefined {
    const key = JSON.stringify([route.muteTimes, route.activeTimes]);
    const spans = knownSpans.get(muteTimes) ?? new Map<string, Span>();
    knownSpans.set(muteTimes, spans);
    const known = spans.get(key);
    if (known && known.from <= now && now < (known.until ?? known.from + recheckMs)) return known.until;
    const windows = windowsOf([...route.muteTimes, ...route.activeTimes]);
    const until = endOf(windows, now, (instant) => holderAt(instant) !== undefined);
    spans.set(key, { from: now, until });
    return until;
  }

  function holderAt(instant: number): string | undefined {
    const isIn = (name: string) => windowsOf([name]).some((window) => contains(window, instant));
    const muting = route.muteTimes.find(isIn);
    if (muting !== undefined) return `mute_time/${muting}`;
    if (route.activeTimes.length === 0 || route.activeTimes.some(isIn)) return undefined;
    return `active_time/${route.activeTimes.join(",")}`;
  }

  function windowsOf(names: readonly string[]): readonly TimeWindow[] {
    return names.flatMap((name) => muteTimes.get(name) ?? []);
  }
}
