import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { parseInstant } from "../../events/time.ts";
import { bucketAlerts, ruleAlert } from "../../functions/analysis/alerts.ts";
import { evaluateWindow } from "../../functions/analysis/correlation/window.ts";
import { spanOf, toMember } from "../../functions/analysis/correlation/step.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import { createJudge, type Hit } from "../../functions/analysis/verdict.ts";
import { toEmission } from "../../functions/notification/alert.ts";
import { alertsOf, episodesOf } from "../../functions/notification/store/episodes-of.ts";
import type { WindowMember } from "../../runtime/state/state.ts";
import type { AuditEvent } from "./traffic.ts";

/** What must be stored in the end: a line per alert and per episode, sorted. */
export interface Expected {
  readonly alerts: readonly string[];
  readonly episodes: readonly string[];
}

/** What the set of accepted events justifies, whatever way they came: the plain definitions. */
export function justified(events: readonly AuditEvent[], ruleSet: RuleSet): Expected {
  const judge = createJudge(ruleSet);
  const groups = new Map<
    string,
    { hit: Hit; members: WindowMember[]; cause: Parameters<typeof ruleAlert>[1] }
  >();
  const raised: ReturnType<typeof ruleAlert>[] = [];
  for (const event of events) {
    const verdict = judge(event.data);
    if (!verdict) continue;
    const time = parseInstant(event.time ?? "") ?? 0;
    const cause = { event, time, fields: verdict.fields };
    raised.push(...verdict.matched.filter(({ silent }) => !silent).map((rule) => ruleAlert(rule, cause)));
    for (const hit of verdict.hits) {
      const name = `${hit.correlation.id} ${hit.group.key}`;
      const group = groups.get(name) ?? { hit, members: [], cause };
      group.members.push({ member: toMember(event), time });
      groups.set(name, group);
    }
  }
  for (const { hit, members, cause } of groups.values()) {
    for (const bucket of evaluateWindow(members, spanOf(hit.correlation)))
      raised.push(...bucketAlerts(hit, bucket, cause));
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
