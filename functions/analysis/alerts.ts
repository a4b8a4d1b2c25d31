import type { AlertRaised, Evidence } from "../../events/contracts/alert-raised.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { deriveId, deriveUuid } from "../../events/identity.ts";
import type { EventIdentity } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { QualifiedBucket } from "../../runtime/state/state.ts";
import { describeBucket } from "./correlation/bucket-text.ts";
import { lengthPrefixed } from "./correlation/group-key.ts";
import { fromMember } from "./correlation/step.ts";
import type { Fields } from "./fields.ts";
import { boundedData } from "./raw-event.ts";
import { contentOf, shownRuleId } from "./rules/content.ts";
import type { RuleContent } from "./rules/content.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import type { Rule } from "./sigma/rule.ts";
import { compileField, toText } from "./sigma/matching/values.ts";
import type { GroupOf } from "./verdict.ts";

/** The event that made rules hold, as far as an alert tells of it. */
export interface Cause {
  readonly event: Event<AuditRecorded>;
  /** Effective event time, epoch milliseconds. */
  readonly time: number;
  readonly fields: Fields;
  /** Hash of the rule set that judged it. */
  readonly ruleSet: string;
}

const source = "/auditflow/analysis";
/** Evidence of one emission, in bytes of JSON; what is more goes into further emissions of the alert. */
const maxEvidenceBytes = 262_144;
const maxText = 4096;

/** The id of the alert of a bucket: the same for every event, replica and order that arrives at it. */
export function bucketAlertId({ correlation, group }: GroupOf, bucket: number): string {
  const { id, revision } = correlation;
  return deriveUuid(kindOf(correlation), id, revision, group.key, String(bucket));
}

/** Alerts of a rule on trial are others than those it raises once it is active. */
function kindOf(rule: Rule | Correlation): "alert" | "shadow-alert" {
  return contentOf(rule).mode === "shadow" ? "shadow-alert" : "alert";
}

/** The alert of a rule that holds for one event by itself. */
export function ruleAlert(rule: Rule, cause: Cause): Event<AlertRaised> {
  const { event, time, fields } = cause;
  const alertId = deriveUuid(kindOf(rule), rule.id, rule.revision, event.source, event.id);
  const { server_hostname: host, event_type: type } = event.data;
  return emission({
    cause,
    salt: [],
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
export function bucketAlerts(
  of: GroupOf,
  bucket: QualifiedBucket,
  cause: Cause,
): readonly Event<AlertRaised>[] {
  return emissions(of, bucket, { cause, salt: [] });
}

/**
 * The alert of a bucket that was judged once its time had passed. No event is its cause, and a late one may
 * have it judged again: the same evidence makes the same emission, other evidence another one.
 */
export function settledAlerts(
  of: GroupOf,
  bucket: QualifiedBucket,
  cause: Cause,
): readonly Event<AlertRaised>[] {
  const evidence = lengthPrefixed(bucket.members.map(({ member }) => member));
  return emissions(of, bucket, { cause, salt: [deriveUuid("settled", evidence)] });
}

interface Origin {
  readonly cause: Cause;
  /** What tells emissions of one alert with one cause apart. */
  readonly salt: readonly string[];
}

function emissions(of: GroupOf, bucket: QualifiedBucket, origin: Origin): readonly Event<AlertRaised>[] {
  const { correlation, group } = of;
  const { cause, salt } = origin;
  const alertId = bucketAlertId(of, bucket.bucket);
  const parts = inParts(bucket.members.map(({ member, time }) => evidenceOf(fromMember(member), time)));
  return parts.map((evidence, part) =>
    emission({
      cause,
      salt: part === 0 ? salt : [...salt, String(part)],
      data: {
        ...describe(correlation, { alertId, cause }),
        timestamp: toInstant(bucket.crossedAt),
        description: text(describeBucket(of, bucket)),
        ...seen(bucket),
        group_key: group.key,
        group: group.values,
        evidence,
        correlation_id: correlationId(parts[0]?.[0] ?? cause.event),
        window: windowOf(correlation),
      },
    }),
  );
}

function windowOf({ type, timespanMs, window }: Correlation): AlertRaised["window"] {
  const gap = window.kind === "session" ? { gap_ms: window.gapMs } : {};
  return { kind: window.kind, timespan_ms: timespanMs, ...gap, type };
}

/** More groups than a correlation may have. */
export interface Capped {
  readonly correlation: Correlation;
  readonly maxGroups: number;
}

const hourMs = 3_600_000;

/** The hour in which a correlation had too many groups: one alert each. */
export function cappedHour({ time }: Pick<Cause, "time">): number {
  return Math.floor(time / hourMs);
}

/** Tells operators that events of new groups are not counted: who looks for an attack may look in vain. */
export function cappedAlert({ correlation, maxGroups }: Capped, cause: Cause): Event<AlertRaised> {
  const { event, time } = cause;
  const alertId = deriveUuid("capped", correlation.id, correlation.revision, String(cappedHour(cause)));
  const shown = text(shownRuleId(correlation));
  return emission({
    cause,
    salt: [],
    data: {
      ...describe(correlation, { alertId, cause }),
      alert_name: "A correlation has too many groups",
      alert_type: "PIPELINE",
      severity: "HIGH",
      timestamp: toInstant(time),
      description: text(
        `${shown} (${correlation.title}) holds ${maxGroups} groups, the most it may: events of new groups are stored, and not counted by it.`,
      ),
      ...seen({ count: 1, firstSeen: time, lastSeen: time }),
      group_key: lengthPrefixed(["groups capped", correlation.id]),
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

interface Emission extends Origin {
  readonly data: AlertRaised;
}

function emission({ cause, salt, data }: Emission): Event<AlertRaised> {
  return createEvent(alertRaised, {
    id: deriveId(cause.event, data.alert_id, ...salt),
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
