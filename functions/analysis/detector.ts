import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import type { Failpoint } from "../../runtime/failpoints.ts";
import { PermanentError, UnavailableError } from "../../runtime/failure.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import type { Log } from "../../runtime/log.ts";
import { createBoundedLabel } from "../../runtime/metrics.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { State } from "../../runtime/state/state.ts";
import { bucketAlertId, bucketAlerts, ruleAlert } from "./alerts.ts";
import { recordedMembers } from "./correlation/confirmation.ts";
import type { Raised } from "./correlation/confirmation.ts";
import type { Evaluate } from "./correlation/evaluate.ts";
import { shownRuleId } from "./rules/content.ts";
import type { RuleSet } from "./sigma/rule-set.ts";
import { createJudge } from "./verdict.ts";
import type { Judge } from "./verdict.ts";

export interface DetectorDeps {
  /** The rules in force; asked once per event, so that one event is judged by one rule set. */
  readonly rules: () => RuleSet;
  readonly ledger: Pick<Ledger, "accept" | "record">;
  /** Offers the event to a window. */
  readonly evaluate: Evaluate;
  readonly state: Pick<State, "confirm" | "confirmLate">;
  readonly failpoint: Failpoint;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "ruleMatches" | "alertsRaised">;
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
    if (ruleSet.rules.length === 0) throw new UnavailableError("rules", "No rule is in force.");
    const { alerts, raised } = await detect(ruleSet, event, acceptance.time);
    await failpoint("after-window");
    const recorded = await failpoint("record", () =>
      ledger.record({ event, ruleSet: ruleSet.hash, detections: alerts.map(({ alert }) => alert) }),
    );
    await failpoint("after-record");
    // Counted after the commit: what was only intended did not happen.
    for (const { rule } of alerts) metrics.alertsRaised.inc({ rule: label(rule) });
    await confirm(raised, recorded);
    await failpoint("before-answer");
    return recorded;
  };
}

interface Detected {
  readonly alerts: readonly { readonly rule: string; readonly alert: Event }[];
  readonly raised: readonly Raised[];
}

/** What the rules and the windows say about an event that is in the ledger. */
function createDetection({ evaluate, metrics }: DetectorDeps) {
  const label = createBoundedLabel();
  let latest: { readonly ruleSet: RuleSet; readonly judge: Judge } | undefined;

  function judgeOf(ruleSet: RuleSet): Judge {
    if (latest?.ruleSet !== ruleSet) latest = { ruleSet, judge: createJudge(ruleSet) };
    return latest.judge;
  }

  return async (ruleSet: RuleSet, event: Event<AuditRecorded>, time: number): Promise<Detected> => {
    const judge = judgeOf(ruleSet);
    const verdict = judge(event.data);
    if (!verdict) throw unclassified(event);
    const cause = { event, time, fields: verdict.fields };
    for (const rule of verdict.matched) metrics.ruleMatches.inc({ rule: label(shownRuleId(rule)) });
    const single = verdict.matched
      .filter(({ silent }) => !silent)
      .map((rule) => ({ rule: shownRuleId(rule), alert: ruleAlert(rule, cause) }));
    const windows = await Promise.all(
      verdict.hits.map(async (hit) => ({ hit, ...(await evaluate({ hit, judge, ruleSet, event, time })) })),
    );
    return {
      alerts: [
        ...single,
        ...windows.flatMap(({ hit, qualified }) =>
          qualified
            .flatMap((bucket) => bucketAlerts(hit, bucket, cause))
            .map((alert) => ({ rule: shownRuleId(hit.correlation), alert })),
        ),
      ],
      raised: windows.flatMap(({ hit, step, late, qualified }) =>
        qualified.map(({ bucket }) => ({ step, late, bucket, alertId: bucketAlertId(hit, bucket) })),
      ),
    };
  };
}

/** Confirms what was recorded, which may be what another run of the event saw. Failing only costs work. */
function createConfirmation({ state, log }: DetectorDeps) {
  return async (raised: readonly Raised[], recorded: readonly Event[]): Promise<void> => {
    const confirming = recordedMembers(raised, recorded).flatMap(({ step, late, ...part }) => [
      state.confirm(step, [part]),
      ...(late ? [state.confirmLate(step, [part])] : []),
    ]);
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
