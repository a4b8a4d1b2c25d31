import type { AlertRaised, Evidence } from "../../events/contracts/alert-raised.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { deriveId, deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { QualifiedBucket } from "../../runtime/state/state.ts";
import { type Cause, correlationId, describe, evidenceOf, seen, text, textsOf } from "./alert-fields.ts";
import { describeBucket } from "./correlation/bucket-text.ts";
import { lengthPrefixed } from "./correlation/group-key.ts";
import { fromMember } from "./correlation/step.ts";
import { contentOf } from "./rules/content.ts";
import type { Correlation } from "./sigma/language/correlation.ts";
import type { Rule } from "./sigma/rule.ts";
import type { GroupOf } from "./verdict.ts";

const source = "/auditflow/analysis";
/** Evidence of one emission, in bytes of JSON; what is more goes into further emissions of the alert. */
const maxEvidenceBytes = 262_144;

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

/** What an emission comes from. */
export interface Origin {
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

export interface Emission extends Origin {
  readonly data: AlertRaised;
}

export function emission({ cause, salt, data }: Emission): Event<AlertRaised> {
  return createEvent(alertRaised, {
    id: deriveId(cause.event, data.alert_id, ...salt),
    source,
    time: data.timestamp,
    subject: data.alert_id,
    extensions: { severitytext: data.severity },
    data,
  });
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
