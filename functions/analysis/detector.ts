import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import type { Failpoint } from "../../runtime/failpoints.ts";
import { PermanentError, UnavailableError } from "../../runtime/failure.ts";
import type { Ledger, TimerRequest } from "../../runtime/ledger/ledger.ts";
import type { Log } from "../../runtime/log.ts";
import { createBoundedLabel } from "../../runtime/metrics.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { State } from "../../runtime/state/state.ts";
import type { Cause } from "./alert-fields.ts";
import { bucketAlertId, bucketAlerts, ruleAlert } from "./alerts.ts";
import { createCapping } from "./correlation/capping.ts";
import { recordedMembers } from "./correlation/confirmation.ts";
import type { Raised } from "./correlation/confirmation.ts";
import type { Evaluate, Evaluated } from "./correlation/evaluate.ts";
import { createBreaker, type Telling } from "./flood.ts";
import { shownRuleId } from "./rules/content.ts";
import type { Rule } from "./sigma/rule.ts";
import type { RuleSet } from "./sigma/rule-set.ts";
import { judgingOf } from "./verdict.ts";

export interface DetectorDeps {
  /** The rules in force; asked once per event, so that one event is judged by one rule set. */
  readonly rules: () => RuleSet;
  readonly ledger: Pick<Ledger, "accept" | "record">;
  /** Offers the event to a window. */
  readonly evaluate: Evaluate;
  readonly state: Pick<State, "confirm" | "confirmLate" | "admit">;
  /** Alerts of one rule about one source within a minute that are told one by one; 0 for all of them. */
  readonly floodLimit: number;
  /** How many groups of one correlation the state may hold; told in alerts only. */
  readonly maxGroups: number;
  readonly failpoint: Failpoint;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "ruleMatches" | "alertsRaised" | "alertsSummarised" | "groupsCapped">;
}

/** Answers an audit event with the alert events it gives rise to. */
export type Detector = (event: Event<AuditRecorded>) => Promise<readonly Event[]>;

/**
 * Every step repeats harmlessly, and their order is what makes a crash anywhere harmless: the event is in
 * the ledger before it is in a window, because windows are rebuilt from the ledger; the alerts are in the
 * ledger before they are answered, because the answer may be lost; and evidence is confirmed after that,
 * because what is confirmed is not told again.
 */
export function createDetector(deps: DetectorDeps): Detector {
  const { rules, ledger, failpoint, metrics } = deps;
  const detect = createDetection(deps);
  const confirm = createConfirmation(deps);
  const label = createBoundedLabel();

  return async (event) => {
    const acceptance = await failpoint("accept", () => ledger.accept(event));
    await failpoint("after-accept");
    if (acceptance.outcome === "conflict") throw reused(event);
    if (acceptance.outcome === "duplicate" && acceptance.detections) return acceptance.detections;

    const ruleSet = rules();
    // Evaluated by no rule, it would count as done, and what it should have raised would be lost for ever.
    if (ruleSet.size === 0) throw new UnavailableError("rules", "No rule is in force.");
    const { alerts, raised, timers, onRecorded } = await detect(ruleSet, event, acceptance.time);
    await failpoint("after-window");
    const detections = alerts.map(({ alert }) => alert);
    const recorded = await failpoint("record", () =>
      ledger.record({ event, ruleSet: ruleSet.hash, detections, timers }),
    );
    await failpoint("after-record");
    onRecorded();
    // Counted after the commit: what was only intended did not happen.
    for (const { rule } of alerts) metrics.alertsRaised.inc({ rule: label(rule) });
    await confirm({ raised, alerts }, recorded);
    await failpoint("before-answer");
    return recorded;
  };
}

interface Detected {
  readonly alerts: readonly Telling[];
  readonly raised: readonly Raised[];
  readonly timers: readonly TimerRequest[];
  /** Called once the alerts are in the ledger. */
  readonly onRecorded: () => void;
}

/** What the rules and the windows say about an event that is in the ledger. */
function createDetection({ evaluate, state, maxGroups, floodLimit, log, metrics }: DetectorDeps) {
  const label = createBoundedLabel();
  const calm = createBreaker({ state, limit: floodLimit, log, metrics });
  const cap = createCapping({ maxGroups, metrics });

  return async (ruleSet: RuleSet, event: Event<AuditRecorded>, time: number): Promise<Detected> => {
    const verdict = judgingOf(ruleSet).judge(event);
    if (!verdict) throw unclassified(event);
    const cause = { event, time, fields: verdict.fields, ruleSet: ruleSet.hash };
    for (const rule of verdict.matched) metrics.ruleMatches.inc({ rule: label(shownRuleId(rule)) });
    const { evaluated, timers, capped } = await evaluate({ event, time, ruleSet, verdict });
    const { told, onRecorded } = cap(capped, cause);
    const alerts = [
      ...ruleAlerts(verdict.matched, cause),
      ...evaluated.flatMap((found) => alertsOf(found, cause)),
    ];
    return {
      alerts: [...(await calm(alerts, cause)), ...told],
      raised: evaluated.flatMap(raisedBy),
      timers,
      onRecorded,
    };
  };
}

function ruleAlerts(matched: readonly Rule[], cause: Cause): readonly Telling[] {
  const raising = matched.filter(({ silent }) => !silent);
  return raising.map((rule) => ({ rule: shownRuleId(rule), alert: ruleAlert(rule, cause) }));
}

function alertsOf(found: Evaluated, cause: Cause): readonly Telling[] {
  const rule = shownRuleId(found.correlation);
  const alerts = found.qualified.flatMap((bucket) => bucketAlerts(found, bucket, cause));
  return alerts.map((alert) => ({ rule, alert }));
}

function raisedBy(found: Evaluated): readonly Raised[] {
  const { window, source } = found;
  return found.qualified.map(({ bucket }) => {
    return { window, source, bucket, alertId: bucketAlertId(found, bucket) };
  });
}

/** Confirms what was recorded, which may be what another run of the event saw. Failing only costs work. */
function createConfirmation({ state, log }: DetectorDeps) {
  return async ({ raised, alerts }: Pick<Detected, "raised" | "alerts">, recorded: readonly Event[]) => {
    // A flood's summary carries the evidence of an alert that was not told.
    const standsFor = new Map(alerts.map((told) => [told.alert.id, told.standsFor]));
    const confirming = recordedMembers({ raised, standsFor }, recorded).flatMap(
      ({ window, source, ...part }) => [
        ...(source === "ledger" ? [] : [state.confirm(window, [part])]),
        ...(source === "window" ? [] : [state.confirmLate(window, [part])]),
      ],
    );
    await Promise.all(confirming).catch((error: unknown) =>
      log.debug({ err: error }, "Recorded evidence could not be confirmed; it will be told again."),
    );
  };
}

function reused({ source, id }: Event): PermanentError {
  const message = `The id '${id}' of ${source} was used before for an event with other data.`;
  return new PermanentError("EVENT_ID_REUSED", message, { pointer: "/id" });
}

function unclassified({ data }: Event<AuditRecorded>): PermanentError {
  const message = `No rule can apply: the log source of event type '${data.event_type}' is not known. Set logsource.`;
  return new PermanentError("EVENT_LOGSOURCE_UNKNOWN", message, { pointer: "/data/logsource" });
}
