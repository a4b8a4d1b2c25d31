import { z } from "@hono/zod-openapi";

import type { Action, Actor, Change } from "../../life-cycle/action.ts";
import { maxName, maxReason } from "../../life-cycle/action.ts";
import type { ChangeResult } from "../../life-cycle/desk.ts";
import { parseInstant } from "../../../../events/time.ts";
import { parseQuery } from "../../query/query.ts";
import { actorOf } from "../actor.ts";
import { json, tagged } from "../answer.ts";
import { readIfMatch } from "../entity-tag.ts";
import { invalid, operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { alertChange, bulkResult, changeResult, disposition } from "../schemas/alert.ts";
import { by, id, instantInput, queryText, toRange, when } from "../schemas/values.ts";
import { alertId, found } from "./alerts.ts";

const reason = z
  .string()
  .max(maxReason)
  .optional()
  .openapi({ description: "Why; of a comment the comment itself." });

const choice = {
  ids: z.array(id).min(1).max(500).optional().openapi({ description: "Alerts by id; or `query`." }),
  query: queryText
    .regex(/\S/, "expected a query; an empty one would be every alert")
    .optional()
    .openapi({ description: "Alerts by query, up to 10,000; or `ids`." }),
  from: when.optional(),
  to: when.optional(),
  dry_run: z.boolean().default(false).openapi({ description: "Only count what would change." }),
};

/** The members of every action, each with what else its body may have. */
function actionBody<Rest extends z.core.$ZodLooseShape>(rest: Rest) {
  return z.discriminatedUnion("action", [
    z.strictObject({
      action: z.enum(["acknowledge", "unacknowledge", "unsnooze", "reopen"]),
      by,
      reason,
      ...rest,
    }),
    z.strictObject({
      action: z.literal("comment"),
      by,
      reason: z.string().min(1).max(maxReason).openapi({ description: "The comment." }),
      ...rest,
    }),
    z.strictObject({
      action: z.literal("assign"),
      assignee: z
        .string()
        .min(1)
        .max(maxName)
        .nullable()
        .openapi({ description: "Who works on it; null takes the assignee away." }),
      by,
      reason,
      ...rest,
    }),
    z.strictObject({ action: z.literal("snooze"), until: instantInput, by, reason, ...rest }),
    z.strictObject({ action: z.literal("resolve"), disposition, by, reason, ...rest }),
  ]);
}

const change = actionBody({}).openapi("ChangeRequest", {
  example: { action: "resolve", disposition: "false_positive", reason: "The scanner of the security team." },
});
const bulkChange = actionBody(choice).openapi("BulkChangeRequest", {
  example: { action: "acknowledge", query: "is:open rule:ANLY-SEC-001", dry_run: true },
});

export const listChanges = operation({
  id: "listAlertChanges",
  method: "get",
  path: "/alerts/{alert_id}/changes",
  tag: "alerts",
  summary: "Show what was done with an alert",
  scope: "viewer",
  params: alertId,
  answers: {
    200: {
      description: "The history, oldest first",
      content: {
        "application/json": { schema: z.object({ items: z.array(alertChange) }).openapi("AlertHistory") },
      },
      headers: ["ETag"],
    },
  },
  problems: ["not-found"],
  async handle({ params }, { alerts }) {
    const { history } = found(await alerts.find(params.alert_id), params.alert_id);
    return tagged({ items: history });
  },
});

export const changeAlert = operation({
  id: "changeAlert",
  method: "post",
  path: "/alerts/{alert_id}/changes",
  tag: "alerts",
  summary: "Do something with an alert",
  description:
    "Acknowledges, assigns, snoozes, resolves, reopens or comments. Every change is one row of history and one `io.auditflow.alert.updated.v1` event.",
  scope: "responder",
  params: alertId,
  body: change,
  ifMatch: true,
  answers: {
    200: {
      description: "The alert as it is now",
      content: { "application/json": { schema: changeResult } },
      headers: ["ETag"],
    },
  },
  problems: [
    "not-found",
    "transition-not-allowed",
    "precondition-failed",
    "precondition-required",
    "actor-required",
    "actor-mismatch",
  ],
  async handle({ params, body, caller, request }, { desk }) {
    const ifRevision = readIfMatch(request);
    const wanted = toChange(body, actorOf(caller, body.by));
    const result = await desk.change(params.alert_id, wanted, ifRevision === undefined ? {} : { ifRevision });
    return answer(result, params.alert_id);
  },
});

function answer(result: ChangeResult, alertId: string): Response {
  switch (result.kind) {
    case "changed":
    case "unchanged": {
      const { kind, alert, etag, change = null } = result;
      return json({ alert, change, unchanged: kind === "unchanged" }, { etag });
    }
    case "not-found":
      throw problem("not-found", { detail: `There is no alert ${alertId}.` });
    case "stale":
      throw stale(result);
    case "refused": {
      const { status, action, allowed } = result;
      throw problem("transition-not-allowed", {
        detail: `An alert that is ${status} does not take "${action}" now: expected ${allowed.join(", ") || "nothing"}.`,
        members: { from: status, action, allowed },
      });
    }
    default:
      return result satisfies never;
  }
}

function stale({ revision, etag, last }: Extract<ChangeResult, { kind: "stale" }>): Error {
  const who = last === undefined ? "" : ` ${last.changed_by.id} did "${last.action}" at ${last.changed_at}.`;
  return problem("precondition-failed", {
    detail: `The alert is at revision ${revision} now.${who}`,
    members: { revision, ...(last !== undefined && { last_change: last }) },
    headers: { etag },
  });
}

export const changeAlerts = operation({
  id: "changeAlerts",
  method: "post",
  path: "/alerts/changes",
  tag: "alerts",
  summary: "Do the same with many alerts",
  description:
    "By ids, or by a query, which is then done in batches; with `dry_run` it only counts. Alerts whose status does not allow the action are left as they are and listed in `refused`.",
  scope: "responder",
  body: bulkChange,
  answers: {
    200: { description: "What was done", content: { "application/json": { schema: bulkResult } } },
  },
  problems: ["invalid-query", "actor-required", "actor-mismatch"],
  async handle({ body, caller }, { desk, now }) {
    const { ids, query, dry_run } = body;
    if ((ids === undefined) === (query === undefined)) {
      const detail = "Expected either ids or query.";
      throw invalid([
        { pointer: ids === undefined ? "" : "/ids", detail, code: ids === undefined ? "missing" : "value" },
      ]);
    }
    const which = ids === undefined ? { query: parseQuery(query ?? ""), ...toRange(body, now()) } : { ids };
    const wanted = toChange(body, actorOf(caller, body.by));
    return json({ ...(await desk.changeMany(which, wanted, { dryRun: dry_run })), dry_run });
  },
});

function toChange(body: z.output<typeof change> | z.output<typeof bulkChange>, by: Actor): Change {
  const action = toAction(body);
  return body.reason === undefined ? { action, by } : { action, by, reason: body.reason };
}

function toAction(body: z.output<typeof change> | z.output<typeof bulkChange>): Action {
  switch (body.action) {
    case "assign":
      return { action: "assign", assignee: body.assignee };
    case "snooze":
      return { action: "snooze", until: parseInstant(body.until) ?? Number.NaN };
    case "resolve":
      return { action: "resolve", disposition: body.disposition };
    case "acknowledge":
    case "unacknowledge":
    case "unsnooze":
    case "reopen":
    case "comment":
      return { action: body.action };
    default:
      return body satisfies never;
  }
}
