import type { AlertSummary } from "../alert-view.ts";
import { matches } from "../query/predicate.ts";
import { fieldOf, type Inhibition } from "./routes.ts";

/** Unresolved alerts that may inhibit others, by the inhibition they were found for. */
export type Sources = ReadonlyMap<string, readonly AlertSummary[]>;

/** The inhibitions an alert is a target of. */
export function targetedBy(
  inhibitions: readonly Inhibition[],
  alert: AlertSummary,
  now: number,
): readonly Inhibition[] {
  return inhibitions.filter(({ target }) => matches(target, alert, now));
}

/**
 * The name of the first inhibition for which there is a source that the alert agrees with in all its
 * `equal` fields, `undefined` when there is none. Two fields that are both empty agree. An alert that is a
 * source of the inhibition as well is not inhibited by another one of that kind, nor ever by itself: both
 * would go unheard.
 */
export function inhibitedBy(
  inhibitions: readonly Inhibition[],
  alert: AlertSummary,
  { sources, now }: { readonly sources: Sources; readonly now: number },
): { readonly name: string; readonly source: AlertSummary } | undefined {
  for (const { name, source: query, equal } of targetedBy(inhibitions, alert, now)) {
    if (matches(query, alert, now)) continue;
    const source = sources
      .get(name)
      ?.find(
        (candidate) =>
          candidate.alert_id !== alert.alert_id &&
          matches(query, candidate, now) &&
          equal.every((field) => fieldOf(candidate, field) === fieldOf(alert, field)),
      );
    if (source) return { name, source };
  }
  return undefined;
}
