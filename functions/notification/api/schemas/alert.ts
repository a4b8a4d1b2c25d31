import { z } from "@hono/zod-openapi";

import { dispositions, severities, statuses } from "../../alert-view.ts";
import { anything, id, instant, nextCursor } from "./values.ts";
import { deliverySchema } from "./delivery.ts";

export const severity = z.enum(severities);
export const status = z.enum(statuses);
export const disposition = z.enum(dispositions);

const text = z.string();
const optionalText = text.nullable();

const summaryShape = {
  alert_id: id,
  timestamp: instant.openapi({ description: "When the rule held." }),
  received_at: instant,
  alert_name: text,
  alert_type: text.openapi({ example: "SECURITY" }),
  severity,
  description: text,
  source_service_name: optionalText,
  rule_id: text,
  rule_name: text,
  rule_version: optionalText,
  actor_type: optionalText,
  actor_id: optionalText,
  client_ip: optionalText,
  resource_type: optionalText,
  resource_id: optionalText,
  server_hostname: optionalText,
  action_observed: text,
  correlation_id: optionalText,
  tags: z.array(text),
  environment: optionalText,
  group: z
    .record(z.string(), z.string())
    .nullable()
    .openapi({ description: "What the events have in common." }),
  count: z.int().openapi({ description: "Distinct events behind it." }),
  first_seen: instant,
  last_seen: instant,
  status,
  disposition: disposition.nullable(),
  assignee: optionalText,
  snoozed_until: instant.nullable(),
  revision: z.int().openapi({ description: "Counts the changes people made; the first part of the ETag." }),
};

export const alertSummary = z.object(summaryShape).openapi("AlertSummary");

export const alertChange = z
  .object({
    change_id: id,
    alert_id: id,
    revision: z.int(),
    action: text.openapi({ example: "acknowledge" }),
    changed_at: instant,
    changed_by: z.object({ type: z.enum(["user", "rule", "system"]), id: text }),
    reason: optionalText,
    before: anything,
    after: anything,
  })
  .openapi("AlertChange");

export const alertDetail = z
  .object({
    ...summaryShape,
    analysis_rule: anything,
    triggered_by: anything,
    impacted_resource: anything,
    metadata: anything,
    raw_event_data: anything,
    rule_set: optionalText,
    window: anything.nullable(),
    evidence: z
      .array(z.object({ source: text, id: text, time: instant }))
      .openapi({ description: "The first thousand events; `count` tells how many there are." }),
    history: z.array(alertChange),
    deliveries: z.array(deliverySchema),
    alert_ids: z.array(id).openapi({ description: "The alerts that were joined into this one." }),
  })
  .openapi("Alert");

export const alertPage = z
  .object({
    items: z.array(alertSummary),
    next: nextCursor,
    prev: nextCursor.openapi({ description: "The cursor of the page before; null on the first one." }),
    count: z.int().optional().openapi({ description: "With `count=true`: how many match, up to 10,000." }),
    capped: z.boolean().optional().openapi({ description: "Whether there are more than `count`." }),
  })
  .openapi("AlertPage");

export const facetKeys = [
  "severity",
  "status",
  "rule",
  "actor",
  "host",
  "type",
  "source",
  "assignee",
  "tag",
] as const;

export const changeResult = z
  .object({
    alert: alertSummary,
    change: z.union([alertChange, z.null()]),
    unchanged: z
      .boolean()
      .openapi({ description: "The alert was as asked for already; no change was written." }),
  })
  .openapi("ChangeResult");

export const bulkResult = z
  .object({
    matched: z.int(),
    changed: z.int().openapi({ description: "With `dry_run`: how many would change." }),
    unchanged: z.int(),
    refused: z
      .array(z.object({ alert_id: id, status }))
      .openapi({ description: "Those whose status does not allow the action." }),
    capped: z.boolean().openapi({ description: "More match than are changed at once; send it again." }),
    dry_run: z.boolean(),
  })
  .openapi("BulkResult");
