import type { AuditRecorded } from "../contracts/audit-recorded.ts";
import { type Logsource, logsourceOf } from "../logsource.ts";
import { auditd } from "./auditd.ts";
import { azureActivity } from "./azure-activity.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { falco } from "./falco.ts";
import { gcp, googleWorkspaceAdmin, googleWorkspaceLogin } from "./gcp.ts";
import { githubAudit, githubWebhook } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import { auditEventFields, native } from "./native.ts";
import { ocsfCategories, ocsfClasses, type OcsfClassName, type OcsfRule } from "./ocsf.ts";
import { okta } from "./okta.ts";
import type { SourceDescription } from "./source.ts";
import { sshd } from "./sshd.ts";
import { webAccess } from "./web-access.ts";

/** Every log source AuditFlow knows; the first that fits an event describes it, and the native one fits all. */
export const sourceDescriptions: readonly SourceDescription[] = [
  kubernetes,
  githubAudit,
  githubWebhook,
  cloudtrail,
  okta,
  gcp,
  googleWorkspaceAdmin,
  googleWorkspaceLogin,
  azureActivity,
  auditd,
  sshd,
  falco,
  webAccess,
  native,
];

const attributes = ["product", "category", "service"] as const;

/** Whether an event of log source `asserted` asserts every attribute that is stated, without regard to case. */
export function asserts(asserted: Logsource, stated: Logsource): boolean {
  return attributes.every((name) => {
    const [wanted] = textsOf(stated[name]);
    return wanted === undefined || textsOf(asserted[name]).includes(wanted);
  });
}

/** The fields rules of one log source may use. */
export interface KnownFields {
  readonly has: (field: string) => boolean;
  /** Names, and prefixes such as `requestParameters.*`, sorted. */
  readonly names: readonly string[];
}

/**
 * What rules that state `logsource` may ask for: the fields of every source such a rule may apply to, and
 * those every audit event has. `undefined` when no source that is described here asserts it.
 */
export function knownFieldsOf(logsource: Logsource): KnownFields | undefined {
  const sources = sourceDescriptions.filter((source) => mayAssert(source, logsource));
  if (sources.length === 0) return undefined;
  const names = new Set(sources.flatMap(knownOf).concat(auditEventFields));
  const prefixes = [...names].filter((name) => name.endsWith(".*")).map((name) => name.slice(0, -1));
  return {
    names: [...names].toSorted(),
    has: (field) => names.has(field) || prefixes.some((prefix) => `${field}.`.startsWith(prefix)),
  };
}

/** Where an event stands in OCSF, for projections on read. */
export interface OcsfClass {
  readonly category_uid: number;
  readonly category_name: string;
  readonly class_uid: number;
  readonly class_name: string;
  /** 0 when the class is known and the activity is not. */
  readonly activity_id: number;
  readonly activity_name: string;
  readonly type_uid: number;
}

/** The OCSF class of an event by its log source, type and result; Base Event when nothing is known. */
export function ocsfClassOf(
  data: Pick<AuditRecorded, "logsource" | "event_type" | "action_result">,
): OcsfClass {
  const logsource = logsourceOf(data) ?? {};
  const source = sourceDescriptions.find((each) => asserts(logsource, each.logsource)) ?? native;
  const rule = source.ocsf.rules?.find((each) => fits(each, data));
  return describeClass(rule?.class ?? source.ocsf.class, rule?.activity);
}

function describeClass(name: OcsfClassName, activity: string | undefined): OcsfClass {
  const { uid, name: class_name, activities } = ocsfClasses[name];
  const known: Readonly<Record<string, number>> = activities;
  const activity_id = activity === undefined ? 0 : (known[activity] ?? 0);
  const category_uid = Math.floor(uid / 1000);
  return {
    category_uid,
    category_name: ocsfCategories.get(category_uid) ?? "",
    class_uid: uid,
    class_name,
    activity_id,
    activity_name: activity_id === 0 ? "Unknown" : (activity ?? ""),
    type_uid: uid * 100 + activity_id,
  };
}

function fits(
  { events, result }: OcsfRule,
  { event_type, action_result }: Pick<AuditRecorded, "event_type" | "action_result">,
): boolean {
  if (result !== undefined && result !== action_result?.toUpperCase()) return false;
  return events.some((pattern) => isLike(pattern, event_type));
}

/** Whether a text is of a pattern in which `*` stands for any text; in linear time, without regard to case. */
function isLike(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const folded = text.toLowerCase();
  if (rest.length === 0) return folded === first;
  if (!folded.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const part of rest) {
    const found = folded.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return folded.length - last.length >= at && folded.endsWith(last);
}

/** Whether some record of the source asserts everything a rule states. */
function mayAssert({ logsource, variants = [] }: SourceDescription, stated: Logsource): boolean {
  const all = [logsource, ...variants.map((variant) => variant.logsource)];
  return attributes.every((name) => {
    const [wanted] = textsOf(stated[name]);
    return wanted === undefined || all.some((each) => textsOf(each[name]).includes(wanted));
  });
}

function knownOf({ known, variants = [] }: SourceDescription): readonly string[] {
  return [...known, ...variants.flatMap((variant) => variant.known ?? [])];
}

function textsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.flatMap((each) => (typeof each === "string" && each !== "" ? [each.toLowerCase()] : []));
}
