import { z } from "zod";

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
  alert_name: z.string().min(1).max(256).optional(),
  alert_type: z.enum(["SECURITY", "PIPELINE", "SILENCE", "INTEGRITY", "COMPLIANCE"]).optional(),
  /** `action_observed`; the event's type when absent. */
  action: z.string().min(1).max(256).optional(),
  /** Words for people, beside Sigma's namespaced tags. */
  tags: z.array(z.string().min(1).max(256)).optional(),
  remediation: z.string().min(1).max(4096).optional(),
  playbook_url: z.url().max(2048).optional(),
  /** `triggered_by.actor_type`, and the field that names the actor (default `user_id`). */
  actor: z.strictObject({ type: z.string().optional(), field: z.string().optional() }).optional(),
  /** `impacted_resource.resource_type`, and the field that names the resource (default `resource`). */
  resource: z.strictObject({ type: z.string().optional(), field: z.string().optional() }).optional(),
});
export type RuleContent = z.infer<typeof ruleContent>;

/** The `auditflow` key of a rule or correlation; empty when it has none or a malformed one (lint tells). */
export function contentOf({ custom }: { readonly custom: Readonly<Record<string, unknown>> }): RuleContent {
  const parsed = ruleContent.safeParse(custom["auditflow"] ?? {});
  return parsed.success ? parsed.data : {};
}

/** The id an alert shows as `analysis_rule.rule_id`: `auditflow.rule_id`, else the rule's own id. */
export function shownRuleId(rule: {
  readonly id: string;
  readonly custom: Readonly<Record<string, unknown>>;
}): string {
  return contentOf(rule).rule_id ?? rule.id;
}
