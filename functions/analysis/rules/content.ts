import { z } from "zod";

import type { Description } from "../sigma/language/description.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import { limits } from "../sigma/language/limits.ts";
import { parseDuration } from "./duration.ts";

/** As long as a correlation's timespan may be: what suppresses is one, and no state counts for longer. */
const longestMs = limits.timespanDays * 86_400_000;

const duration = z.string().transform((text, context) => {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestMs) return milliseconds;
  const message = `no duration such as 30s, 10m or 12h, up to ${limits.timespanDays}d`;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** Goes into alerts as it is, so it must be no longer than they allow: an alert that cannot be told is lost. */
const word = z.string().min(1).max(256);

/**
 * What a rule says for AuditFlow beyond Sigma, under the top-level key `auditflow`. Rules of others do
 * not have it; everything is optional.
 */
export const ruleContent = z.strictObject({
  /** The id people know the rule by (`analysis_rule.rule_id`); Sigma wants a UUID for its own `id`. */
  rule_id: z
    .string()
    .regex(/^[A-Z0-9][A-Z0-9-]{0,63}$/)
    .optional(),
  /** `alert_name`; the title when absent. */
  alert_name: word.optional(),
  alert_type: z.enum(["SECURITY", "PIPELINE", "SILENCE", "INTEGRITY", "COMPLIANCE"]).optional(),
  /** `action_observed`; the event's type when absent. */
  action: word.optional(),
  /** Words for people, beside Sigma's namespaced tags. */
  tags: z.array(word).optional(),
  remediation: z.string().min(1).max(4096).optional(),
  playbook_url: z.url().max(2048).optional(),
  /** `triggered_by.actor_type`, and the field that names the actor (default `user_id`). */
  actor: z.strictObject({ type: word.optional(), field: z.string().optional() }).optional(),
  /** `impacted_resource.resource_type`, and the field that names the resource (default `resource`). */
  resource: z.strictObject({ type: word.optional(), field: z.string().optional() }).optional(),
  /** `shadow`: on trial; alerts are kept, and nobody is told of them. */
  mode: z.enum(["active", "shadow"]).optional(),
  /**
   * Repetitions become one alert: per value of these fields, as long as no more than `for` lies between
   * one and the next.
   */
  suppress: z.strictObject({ by: z.array(z.string().min(1)).max(8), for: duration }).optional(),
  /** Sigma's extension of ours for correlations; read by the rule language itself. */
  window: z.unknown().optional(),
});
export type RuleContent = z.infer<typeof ruleContent>;

interface Described {
  readonly custom: Readonly<Record<string, unknown>>;
}

/** Contents that were read, because an alert asks for its rule's several times. */
const read = new WeakMap<Described["custom"], RuleContent>();

/** The `auditflow` key of a rule or correlation; empty when it has none. Malformed ones are not loaded. */
export function contentOf({ custom }: Described): RuleContent {
  const known = read.get(custom);
  if (known) return known;
  const parsed = ruleContent.safeParse(custom["auditflow"] ?? {});
  const content = parsed.success ? parsed.data : {};
  read.set(custom, content);
  return content;
}

/** What is wrong with the `auditflow` key of a rule or correlation; each of them keeps it out. */
export function contentProblems({ custom, file, line }: Description): readonly RuleProblem[] {
  const parsed = ruleContent.safeParse(custom["auditflow"] ?? {}, { reportInput: true });
  return (parsed.error?.issues ?? []).map(({ path, message, input }) => {
    const value = typeof input === "object" || input === undefined ? "" : ` is ${JSON.stringify(input)}`;
    const place = ["auditflow", ...path].join(".");
    return {
      code: "RULE_CONTENT_INVALID",
      severity: "error",
      file,
      line,
      column: 1,
      message: `${place}${value}: ${message}.`,
    };
  });
}

/** The id an alert shows as `analysis_rule.rule_id`: `auditflow.rule_id`, else the rule's own id. */
export function shownRuleId(
  rule: Described & { readonly id: string; readonly shows?: string | undefined },
): string {
  return contentOf(rule).rule_id ?? rule.shows ?? rule.id;
}
