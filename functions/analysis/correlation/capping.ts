import type { AlertRaised } from "../../../events/contracts/alert-raised.ts";
import type { Event } from "../../../events/event.ts";
import { deriveUuid } from "../../../events/identity.ts";
import { toInstant } from "../../../events/time.ts";
import { createBoundedLabel } from "../../../runtime/metrics.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { type Cause, correlationId, describe, evidenceOf, seen, text } from "../alert-fields.ts";
import { emission } from "../alerts.ts";
import { shownRuleId } from "../rules/content.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import { lengthPrefixed } from "./group-key.ts";

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

  return (capped: readonly Correlation[], cause: Cause) => {
    const untold = [...new Set(capped)].filter((correlation) => !known.has(nameOf(correlation, cause)));
    const told = untold.map((correlation): { readonly rule: string; readonly alert: Event<AlertRaised> } => {
      return { rule: shownRuleId(correlation), alert: cappedAlert({ correlation, maxGroups }, cause) };
    });
    return {
      told,
      onRecorded: (): void => {
        for (const correlation of capped) metrics.groupsCapped.inc({ rule: label(shownRuleId(correlation)) });
        if (known.size > maxRemembered) known = new Set();
        for (const correlation of untold) known.add(nameOf(correlation, cause));
      },
    };
  };
}

/** More groups than a correlation may have. */
interface Capped {
  readonly correlation: Correlation;
  readonly maxGroups: number;
}

const hourMs = 3_600_000;

function nameOf({ id, revision }: Correlation, cause: Cause): string {
  return JSON.stringify([id, revision, hourOf(cause)]);
}

/** The hour in which a correlation had too many groups: one alert each. */
function hourOf({ time }: Pick<Cause, "time">): number {
  return Math.floor(time / hourMs);
}

/** Tells operators that events of new groups are not counted: who looks for an attack may look in vain. */
function cappedAlert({ correlation, maxGroups }: Capped, cause: Cause): Event<AlertRaised> {
  const { event, time } = cause;
  const alertId = deriveUuid("capped", correlation.id, correlation.revision, String(hourOf(cause)));
  const shown = text(shownRuleId(correlation));
  return emission({
    cause,
    salt: [],
    data: {
      ...describe(correlation, { alertId, cause }),
      // Also of a correlation on trial: that it is blind is no trial.
      mode: "active",
      alert_name: "A correlation has too many groups",
      alert_type: "PIPELINE",
      severity: "HIGH",
      timestamp: toInstant(time),
      description: text(
        `${shown} (${correlation.title}) holds ${maxGroups} groups, the most it may: events of new groups are stored, and not counted by it.`,
      ),
      ...seen({ count: 1, firstSeen: time, lastSeen: time }),
      // Begins like no key of a group, so that nobody can have it vanish in the episode of another alert.
      group_key: `capped/${lengthPrefixed([correlation.id])}`,
      group: { rule_id: shown },
      evidence: [evidenceOf(event, time)],
      correlation_id: correlationId(event),
      metadata: {
        tags: ["auditflow.pipeline"],
        remediation_guidance:
          "Group by a field with fewer values or make the rules narrower; or, with the memory for it, raise AUDITFLOW_MAX_GROUPS.",
      },
    },
  });
}
