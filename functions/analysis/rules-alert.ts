import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { deriveId, deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { Sink } from "../../runtime/function.ts";
import type { Log } from "../../runtime/log.ts";
import { lengthPrefixed } from "./correlation/group-key.ts";
import { sha256 } from "./rules/digest.ts";
import type { RuleProblem } from "./sigma/language/problem.ts";

interface RulesAlarmDeps {
  readonly sink: Sink;
  readonly now: () => number;
  readonly log: Log;
}

/** Tells people of rules that are not in force: a rule that was left out finds nothing, and says nothing. */
export interface RulesAlarm {
  /** Takes what the latest attempt to load found; errors that were not told yet become one alert. */
  report(problems: readonly RuleProblem[]): void;
  /** Offers what the sink did not take again. */
  retry(): Promise<void>;
}

const source = "/auditflow/analysis";
const maxShown = 20;

/**
 * Raises an alert of type PIPELINE for each new set of errors. The same errors make the same alert on every
 * replica and after every start, so people are told once.
 */
export function createRulesAlarm({ sink, now, log }: RulesAlarmDeps): RulesAlarm {
  let known: string | undefined;
  let untold: Event | undefined;

  async function retry(): Promise<void> {
    const alert = untold;
    if (!alert) return;
    try {
      await sink([alert]);
      if (untold === alert) untold = undefined;
    } catch (error) {
      log.warn({ err: error }, "That rules were refused could not be told yet; it is tried again.");
    }
  }

  return {
    report(problems) {
      const errors = problems.filter(({ severity }) => severity === "error");
      const digest = sha256(JSON.stringify(errors));
      if (errors.length === 0 || digest === known) return;
      known = digest;
      untold = refusedAlert(errors, { digest, time: now() });
      void retry();
    },
    retry,
  };
}

function refusedAlert(
  errors: readonly RuleProblem[],
  { digest, time }: { readonly digest: string; readonly time: number },
): Event {
  const alert_id = deriveUuid("rules-refused", digest);
  const [first] = errors;
  const place = first ? `${first.file}:${first.line}:${first.column} ${first.code} ${first.message}` : "";
  const count = errors.length === 1 ? "One rule is" : `${errors.length} rules are`;
  return createEvent(alertRaised, {
    id: deriveId({ source, id: alert_id }, "raised"),
    source,
    time: toInstant(time),
    subject: alert_id,
    extensions: { severitytext: "HIGH" },
    data: {
      alert_id,
      timestamp: toInstant(time),
      alert_name: "Rules refused",
      alert_type: "PIPELINE",
      severity: "HIGH",
      description: `${count} not in force. ${place}`.slice(0, 4096).toWellFormed(),
      source_service_name: "analysis",
      analysis_rule: { rule_id: "AF-RULES-REFUSED", rule_name: "Rules refused" },
      triggered_by: { actor_type: "SERVICE", actor_id: null, client_ip: null },
      impacted_resource: { resource_type: "RULES", resource_id: first?.file ?? null, server_hostname: null },
      action_observed: "rules_refused",
      raw_event_data: { errors: errors.slice(0, maxShown), more: Math.max(0, errors.length - maxShown) },
      metadata: {
        tags: ["auditflow", "rules"],
        remediation_guidance: "Run `auditflow rules lint` and `auditflow rules test` on the folder of rules.",
      },
      status: "open",
      group_key: lengthPrefixed(["rules-refused", digest]),
    },
  });
}
