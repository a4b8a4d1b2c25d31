import type { AlertRaised, Evidence } from "../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import type { Event } from "../../events/event.ts";
import { deriveUuid } from "../../events/identity.ts";
import type { EventIdentity } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { QualifiedBucket } from "../../runtime/state/state.ts";
import type { Fields } from "./fields.ts";
import { boundedData } from "./raw-event.ts";
import { contentOf, shownRuleId } from "./rules/content.ts";
import type { RuleContent } from "./rules/content.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import { compileField, toText } from "./sigma/matching/values.ts";
import type { Rule } from "./sigma/rule.ts";

/** The event that made rules hold, as far as an alert tells of it. */
export interface Cause {
  readonly event: Event<AuditRecorded>;
  /** Effective event time, epoch milliseconds. */
  readonly time: number;
  readonly fields: Fields;
  /** Hash of the rule set that judged it. */
  readonly ruleSet: string;
}

const maxText = 4096;

/** What an alert says of its rule and of the event that raised it, in the predecessor's fields. */
export function describe(
  rule: Rule | Correlation,
  { alertId, cause }: { readonly alertId: string; readonly cause: Cause },
) {
  const content = contentOf(rule);
  const { data } = cause.event;
  return {
    alert_id: alertId,
    alert_name: text(content.alert_name ?? rule.title),
    alert_type: content.alert_type ?? "SECURITY",
    severity: severities[rule.level],
    source_service_name: text(data.source_service ?? cause.event.source),
    analysis_rule: {
      rule_id: text(shownRuleId(rule)),
      rule_name: text(rule.title),
      ...(rule.description === undefined ? {} : { rule_description: text(rule.description) }),
      ...(rule.status === undefined ? {} : { rule_status: rule.status }),
      // The Detection Rule License asks for its author to be named with what a rule finds.
      ...(rule.author === undefined ? {} : { rule_author: text(rule.author) }),
      ...(rule.license === undefined ? {} : { rule_license: text(rule.license) }),
    },
    ...involved(content, cause),
    action_observed: content.action ?? data.event_type,
    raw_event_data: boundedData(data),
    metadata: {
      tags: [...(content.tags ?? []), ...rule.tags].map((tag) => text(tag)),
      ...(content.remediation === undefined ? {} : { remediation_guidance: content.remediation }),
      ...(content.playbook_url === undefined ? {} : { playbook_url: content.playbook_url }),
    },
    status: "open" as const,
    ...(content.mode === "shadow" ? { mode: content.mode } : {}),
    rule_version: rule.revision,
    rule_set: cause.ruleSet,
  };
}

/** Who did what to what: nothing is invented, so what is not known is null. */
function involved(
  { actor, resource }: RuleContent,
  { event, fields }: Cause,
): Pick<AlertRaised, "triggered_by" | "impacted_resource"> {
  const host = textOf(fields, "host") ?? null;
  return {
    triggered_by: {
      actor_type: actor?.type ?? event.data.actor_type ?? "USER",
      actor_id: textOf(fields, actor?.field ?? "actor") ?? null,
      client_ip: textOf(fields, "src_ip") ?? null,
    },
    impacted_resource: {
      resource_type: resource?.type ?? (fields["resource"] === undefined ? "HOST" : "RESOURCE"),
      resource_id: textOf(fields, resource?.field ?? "resource") ?? host,
      server_hostname: host,
    },
  };
}

const severities = {
  informational: "INFORMATIONAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  critical: "CRITICAL",
} as const;

export function seen({
  count,
  firstSeen,
  lastSeen,
}: Pick<QualifiedBucket, "count" | "firstSeen" | "lastSeen">) {
  return { count, first_seen: toInstant(firstSeen), last_seen: toInstant(lastSeen) };
}

export function evidenceOf({ source, id }: EventIdentity, time: number): Evidence {
  return { source, id, time: toInstant(time) };
}

/** The predecessor's consumers store it in a UUID column: the event's own id where it is one. */
export function correlationId(identity: EventIdentity): string {
  return uuid.test(identity.id) ? identity.id.toLowerCase() : deriveUuid(identity.source, identity.id);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function textsOf(fields: Fields, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = textOf(fields, name);
      return value === undefined ? [] : [[name, text(value, 256)] as const];
    }),
  );
}

/** The first value of a field, which may be a path as in rules. */
function textOf(fields: Fields, name: string): string | undefined {
  const value = toText(compileField(name)(fields).values[0]);
  return value === undefined || value === "" ? undefined : text(value);
}

/** A cut may leave half of a surrogate pair, which no receiver would take. */
export function text(value: string, maxLength: number = maxText): string {
  return value.slice(0, maxLength).toWellFormed();
}
