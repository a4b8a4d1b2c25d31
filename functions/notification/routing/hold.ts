import type { Route, Routes } from "./routes.ts";
import { contains, endOf, type TimeWindow } from "./windows.ts";

/** What holds a route's messages back, and until when (epoch milliseconds; absent: for more than a year). */
export interface Hold {
  /** `mute_time/<name>`, or `active_time/<names>` outside of the times a route is active. */
  readonly by: string;
  readonly until?: number | undefined;
}

/** Whether a route is silent at an instant: within one of its mute times, or outside all its active times. */
export function holdOf(
  route: Pick<Route, "muteTimes" | "activeTimes">,
  muteTimes: Routes["muteTimes"],
  now: number,
): Hold | undefined {
  const by = holderAt(now);
  if (by === undefined) return undefined;
  const windows = windowsOf([...route.muteTimes, ...route.activeTimes]);
  return { by, until: endOf(windows, now, (instant) => holderAt(instant) !== undefined) };

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
