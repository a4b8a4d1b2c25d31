import type { Event } from "../../../events/event.ts";
import { createBoundedLabel } from "../../../runtime/metrics.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { cappedAlert, cappedHour, type Cause } from "../alerts.ts";
import { shownRuleId } from "../rules/content.ts";
import type { Correlation } from "../sigma/language/correlation.ts";

interface CappingDeps {
  readonly maxGroups: number;
  readonly metrics: Pick<Metrics, "groupsCapped">;
}

/** Hours this process remembers to have told of. */
const maxRemembered = 10_000;

/**
 * Counts events that a correlation with too many groups did not count, and tells of it: one alert per
 * correlation and hour. Each process tells once, when its alert is recorded; the alert's id is the same.
 */
export function createCapping({ maxGroups, metrics }: CappingDeps) {
  const label = createBoundedLabel();
  let known = new Set<string>();
  const nameOf = ({ id, revision }: Correlation, cause: Cause) =>
    JSON.stringify([id, revision, cappedHour(cause)]);

  return (capped: readonly Correlation[], cause: Cause) => {
    const untold = [...new Set(capped)].filter((correlation) => !known.has(nameOf(correlation, cause)));
    const told = untold.map((correlation): { readonly rule: string; readonly alert: Event } => {
      return { rule: shownRuleId(correlation), alert: cappedAlert({ correlation, maxGroups }, cause) };
    });
    return {
      told,
      onRecorded(): void {
        for (const correlation of capped) metrics.groupsCapped.inc({ rule: label(shownRuleId(correlation)) });
        if (known.size > maxRemembered) known = new Set();
        for (const correlation of untold) known.add(nameOf(correlation, cause));
      },
    };
  };
}
