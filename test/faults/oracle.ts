import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { parseInstant } from "../../events/time.ts";
import type { Cause } from "../../functions/analysis/alert-fields.ts";
import { bucketAlerts, ruleAlert } from "../../functions/analysis/alerts.ts";
import { toGroup } from "../../functions/analysis/correlation/group-key.ts";
import { toMember } from "../../functions/analysis/correlation/step.ts";
import { evaluateCorrelations, type Occurrence } from "../../functions/analysis/sigma/correlating/chain.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import { createJudge } from "../../functions/analysis/verdict.ts";
import { toEmission } from "../../functions/notification/alert.ts";
import { alertsOf, episodesOf } from "../../functions/notification/store/episodes-of.ts";
import type { AuditEvent } from "./traffic.ts";

/** What must be stored in the end: a line per alert and per episode, sorted. */
export interface Expected {
  readonly alerts: readonly string[];
  readonly episodes: readonly string[];
}

/** What the set of accepted events justifies, whatever way they came: the plain definitions. */
export function justified(events: readonly AuditEvent[], ruleSet: RuleSet): Expected {
  const judge = createJudge(ruleSet);
  const causes = new Map<string, Cause>();
  const occurrences: Occurrence[] = [];
  const raised: ReturnType<typeof ruleAlert>[] = [];
  for (const event of events) {
    const verdict = judge(event);
    if (!verdict) continue;
    const { matched, fields } = verdict;
    const [member, time] = [toMember(event), parseInstant(event.time ?? "") ?? 0];
    const cause = { event, time, fields, ruleSet: ruleSet.hash };
    causes.set(member, cause);
    raised.push(...matched.filter(({ silent }) => !silent).map((rule) => ruleAlert(rule, cause)));
    occurrences.push({ member, time, matched: matched.map(({ id }) => id), fields });
  }
  for (const { correlation, group: values, buckets } of evaluateCorrelations(
    ruleSet.correlations,
    occurrences,
  )) {
    const group = toGroup(correlation.groupBy, values);
    for (const bucket of correlation.silent ? [] : buckets) {
      const cause = causes.get(bucket.members[0]?.member ?? "");
      if (cause) raised.push(...bucketAlerts({ correlation, group }, bucket, cause));
    }
  }
  const emissions = raised.map((event) => toEmission({ ...event, type: alertRaised.type }));
  return {
    alerts: alertsOf(emissions)
      .map(({ id, groupId, timestamp, firstSeen, lastSeen }) =>
        [id, groupId, timestamp, firstSeen, lastSeen].join(" "),
      )
      .toSorted(),
    episodes: episodesOf(emissions)
      .map(({ id, groupId, firstSeen, lastSeen, count }) =>
        [id, groupId, firstSeen, lastSeen, count].join(" "),
      )
      .toSorted(),
  };
}
