import type { AlertRaised, Evidence } from "../../events/contracts/alert-raised.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { deriveId, deriveUuid } from "../../events/identity.ts";
import type { EventIdentity } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { QualifiedBucket } from "../../runtime/state/state.ts";
import { lengthPrefixed } from "./correlation/group-key.ts";
import { fromMember } from "./correlation/step.ts";
import type { Fields } from "./fields.ts";
import { boundedData } from "./raw-event.ts";
import { contentOf, shownRuleId } from "./rules/content.ts";
import type { RuleContent } from "./rules/content.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import type { Rule } from "./sigma/rule.ts";
import { compileField, toText } from "./sigma/matching/values.ts";
import type { Hit } from "./verdict.ts";

/** The event that made rules hold, as far as an alert tells of it. */
export interface Cause {
  readonly event: Event<AuditRecorded>;
  /** Effective event time, epoch milliseconds. */
  readonly time: number;
  readonly fields: Fields;
}

const source = "/auditflow/analysis";
/** Evidence of one emission, in bytes of JSON; what is more goes into further emissions of the alert. */
const maxEvidenceBytes = 262_144;
const maxText = 4096;

/** The id of the alert of a bucket: the same for every event, replica and order that arrives at it. */
export function bucketAlertId({ correlation, group }: Hit, bucket: number): string {
  return deriveUuid("alert", correlation.id, correlation.revision, group.key, String(bucket));
}

/** The alert of a rule that holds for one event by itself. */
export function ruleAlert(rule: Rule, cause: Cause): Event<AlertRaised> {
  const { event, time, fields } = cause;
  const alertId = deriveUuid("alert", rule.id, rule.revision, event.source, event.id);
  const { server_hostname: host, event_type: type } = event.data;
  return emission({
    cause,
    part: 0,
    data: {
      ...describe(rule, { alertId, cause }),
      timestamp: toInstant(time),
      description: text(`${rule.title}: ${type}${host ? ` on ${host}` : ""}.`),
      ...seen({ count: 1, firstSeen: time, lastSeen: time }),
      group_key: lengthPrefixed([event.source, event.id]),
      group: textsOf(fields, ["actor", "resource", "host"]),
      evidence: [evidenceOf(event, time)],
      correlation_id: correlationId(event),
    },
  });
}

/** The alert of a bucket: one emission, or several when its evidence is too much for one event. */
export function bucketAlerts(hit: Hit, bucket: QualifiedBucket, cause: Cause): readonly Event<AlertRaised>[] {
  const { correlation, group } = hit;
  const alertId = bucketAlertId(hit, bucket.bucket);
  const parts = inParts(bucket.members.map(({ member, time }) => evidenceOf(fromMember(member), time)));
  return parts.map((evidence, part) =>
    emission({
      cause,
      part,
      data: {
        ...describe(correlation, { alertId, cause }),
        timestamp: toInstant(bucket.crossedAt),
        description: text(describeBucket(hit, bucket)),
        ...seen(bucket),
        group_key: group.key,
        group: group.values,
        evidence,
        correlation_id: correlationId(parts[0]?.[0] ?? cause.event),
        window: { kind: "sliding", timespan_ms: correlation.timespanMs },
      },
    }),
  );
}

interface Emission {
  readonly cause: Cause;
  readonly part: number;
  readonly data: AlertRaised;
}

function emission({ cause, part, data }: Emission): Event<AlertRaised> {
  const parts = part === 0 ? [] : [String(part)];
  return createEvent(alertRaised, {
    id: deriveId(cause.event, data.alert_id, ...parts),
    source,
    time: data.timestamp,
    subject: data.alert_id,
    extensions: { severitytext: data.severity },
    data,
  });
}

/** What an alert says of its rule and of the event that raised it, in the predecessor's fields. */
function describe(
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
    },
    ...involved(content, cause),
    action_observed: content.action ?? data.event_type,
    raw_event_data: boundedData(data),
    metadata: {
      tags: [...(content.tags ?? []), ...rule.tags].map(text),
      ...(content.remediation === undefined ? {} : { remediation_guidance: content.remediation }),
      ...(content.playbook_url === undefined ? {} : { playbook_url: content.playbook_url }),
    },
    status: "open" as const,
    rule_version: rule.revision,
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

/** The group and the numbers, nothing else of the events: a description travels into chats and mails. */
function describeBucket({ correlation, group }: Hit, { count }: QualifiedBucket): string {
  const of = Object.entries(group.values).map(([field, value]) => `${field} ${value}`);
  const within = `${count} events within ${correlation.timespanMs / 1000} s of each other`;
  return `${correlation.title}: ${within}${of.length > 0 ? ` (${of.join(", ")})` : ""}.`;
}

function seen({ count, firstSeen, lastSeen }: Pick<QualifiedBucket, "count" | "firstSeen" | "lastSeen">) {
  return { count, first_seen: toInstant(firstSeen), last_seen: toInstant(lastSeen) };
}

function evidenceOf({ source, id }: EventIdentity, time: number): Evidence {
  return { source, id, time: toInstant(time) };
}

function inParts(evidence: readonly Evidence[]): readonly Evidence[][] {
  const parts: Evidence[][] = [[]];
  let bytes = 0;
  for (const entry of evidence) {
    const size = Buffer.byteLength(JSON.stringify(entry));
    if (bytes + size > maxEvidenceBytes && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(entry);
    bytes += size;
  }
  return parts;
}

/** The predecessor's consumers store it in a UUID column: the event's own id where it is one. */
function correlationId(identity: EventIdentity): string {
  return uuid.test(identity.id) ? identity.id.toLowerCase() : deriveUuid(identity.source, identity.id);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

function textsOf(fields: Fields, names: readonly string[]): Record<string, string> {
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
function text(value: string, maxLength: number = maxText): string {
  return value.slice(0, maxLength).toWellFormed();
}
