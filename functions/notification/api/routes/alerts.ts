import { z } from "@hono/zod-openapi";

import { digest, json, page, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { loadProjection } from "../projection.ts";
import { alertDetail, alertPage, facetKeys } from "../schemas/alert.ts";
import { facetsSchema, histogramSchema } from "../schemas/summary.ts";
import { anything, cursor, id, plainText } from "../schemas/values.ts";
import { selectionParameters, toSelection } from "../selection.ts";

/** What a list answers at most for `count=true`: beyond it counting costs more than the number is worth. */
const countCap = 10_000;

const sorts = [
  "timestamp",
  "-timestamp",
  "last_seen",
  "-last_seen",
  "severity",
  "-severity",
  "count",
  "-count",
] as const;

export const sort = z.enum(sorts).default("-last_seen").openapi({ description: "With `-`: descending." });

export const listAlerts = operation({
  id: "listAlerts",
  method: "get",
  path: "/alerts",
  tag: "alerts",
  summary: "List alerts",
  description:
    "One page of the alerts that a query and its short forms choose, by keyset: alerts that arrive meanwhile move nothing.",
  scope: "viewer",
  query: z.strictObject({
    ...selectionParameters,
    sort,
    limit: z.int().min(1).max(500).default(100),
    cursor: cursor.optional(),
    count: z.boolean().default(false).openapi({ description: "Also count what matches, up to 10,000." }),
  }),
  answers: {
    200: {
      description: "A page",
      content: { "application/json": { schema: alertPage } },
      headers: ["ETag", "Link"],
    },
  },
  problems: ["invalid-query", "invalid-cursor"],
  async handle({ query, request }, { alerts, now }) {
    const selection = toSelection(query, now());
    const { sort, limit, cursor, count } = query;
    const [list, counted] = await Promise.all([
      alerts.list({ ...selection, sort, limit, ...(cursor !== undefined && { cursor }) }),
      count ? alerts.count(selection, countCap) : undefined,
    ]);
    return page(request, list, counted);
  },
});

export const alertFacets = operation({
  id: "alertFacets",
  method: "get",
  path: "/alerts/facets",
  tag: "alerts",
  summary: "Count alerts by value",
  description: "How many alerts have which severity, rule, actor and so on; the most frequent values first.",
  scope: "viewer",
  query: z.strictObject({
    ...selectionParameters,
    key: z
      .array(z.enum(facetKeys))
      .min(1)
      .max(facetKeys.length)
      .default(["severity", "status", "rule", "actor", "host"])
      .openapi({ description: "What to count by; may be repeated." }),
    prefix: plainText(256).optional().openapi({ description: "Only values that begin so, for completion." }),
  }),
  answers: {
    200: {
      description: "Counts",
      content: { "application/json": { schema: facetsSchema } },
      headers: ["ETag"],
    },
  },
  problems: ["invalid-query"],
  async handle({ query }, { alerts, now }) {
    const keys = [...new Set(query.key)];
    return tagged(await alerts.facets(toSelection(query, now()), keys, query.prefix));
  },
});

export const alertHistogram = operation({
  id: "alertHistogram",
  method: "get",
  path: "/alerts/histogram",
  tag: "alerts",
  summary: "Count alerts over time",
  description: "Alerts by the time they were last seen, in equal steps, by severity.",
  scope: "viewer",
  query: z.strictObject({ ...selectionParameters, buckets: z.int().min(1).max(200).default(60) }),
  answers: {
    200: {
      description: "Counts by step",
      content: { "application/json": { schema: histogramSchema } },
      headers: ["ETag"],
    },
  },
  problems: ["invalid-query"],
  async handle({ query }, { alerts, now }) {
    return tagged(await alerts.histogram({ ...toSelection(query, now()), buckets: query.buckets }));
  },
});

export const alertId = z.object({ alert_id: id });

export const getAlert = operation({
  id: "getAlert",
  method: "get",
  path: "/alerts/{alert_id}",
  tag: "alerts",
  summary: "Show an alert",
  description:
    "Everything about one alert: evidence, history, deliveries. The id of an alert that was joined into another one leads to that one.",
  scope: "viewer",
  params: alertId,
  query: z.strictObject({
    format: z
      .enum(["auditflow", "ocsf", "ecs"])
      .default("auditflow")
      .openapi({ description: "As it is, as an OCSF Detection Finding, or in the Elastic Common Schema." }),
  }),
  answers: {
    200: {
      description: "The alert",
      content: { "application/json": { schema: z.union([alertDetail, anything]) } },
      headers: ["ETag"],
    },
  },
  problems: ["not-found"],
  async handle({ params, query }, { alerts }) {
    const { etag, ...alert } = found(await alerts.find(params.alert_id), params.alert_id);
    const { format } = query;
    const body = format === "auditflow" ? alert : (await loadProjection(format))(alert);
    // Deliveries move on without the alert itself being written, and each format is a representation of its own.
    const own = digest(JSON.stringify([format, alert.deliveries, alert.count]));
    return json(body, { etag: `${etag.slice(0, -1)}.${own}"` });
  },
});

/** What was found, or `not-found`. */
export function found<T>(alert: T | undefined, id: string): T {
  if (alert !== undefined) return alert;
  throw problem("not-found", { detail: `There is no alert ${id}.` });
}
