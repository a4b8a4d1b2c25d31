import { holdOf } from "../hold.ts";
import type { Route, Routes } from "../routes.ts";
import { isAlways, isNever, type TimeWindow } from "../windows.ts";
import { type Finding, type PathPart, quote } from "./problem.ts";

/** Warns of times that never change: whoever wrote them meant something else, and people hear nothing. */
export function checkEndless(windows: ReadonlyMap<string, TimeWindow>): readonly Finding[] {
  return [...windows].flatMap(([name, window]): readonly Finding[] => {
    if (!isEndless(window)) return [];
    const message = isAlways(window)
      ? `${quote(name)} leaves no gap: in mute_times it mutes a route for good, in active_times it says nothing.`
      : `${quote(name)} never holds: in active_times alone it mutes a route for good, in mute_times it says nothing.`;
    return [{ path: ["mute_times", name], atKey: true, severity: "warning", message }];
  });
}

function isEndless(window: TimeWindow): boolean {
  return isAlways(window) || isNever(window);
}

/** A leap year, so that 29 February is a day of it. Whoever reads the same file is told the same. */
const looked = Date.UTC(2028, 0, 1);

/**
 * Warns of routes whose times leave no gap together, though each of them alone does. Where a route has its
 * times from the one above, that one is told of.
 */
export function checkSilent({ root, muteTimes }: Pick<Routes, "root" | "muteTimes">): readonly Finding[] {
  return walk(root, ["route"], "");

  function walk(route: Route, path: readonly PathPart[], above: string): readonly Finding[] {
    const times = JSON.stringify([route.muteTimes, route.activeTimes]);
    const own = times === above ? [] : silenceOf(route, path);
    return [
      ...own,
      ...route.routes.flatMap((child, index) => walk(child, [...path, "routes", index], times)),
    ];
  }

  function silenceOf(route: Route, path: readonly PathPart[]): readonly Finding[] {
    const windows = [...route.muteTimes, ...route.activeTimes].flatMap((name) => muteTimes.get(name) ?? []);
    if (windows.some(isEndless)) return [];
    const hold = holdOf(route, muteTimes, looked);
    if (!hold || hold.until !== undefined) return [];
    const message = `The times of route ${quote(route.name)} leave no gap together: within a year nobody is told.`;
    return [{ path, severity: "warning", message }];
  }
}
