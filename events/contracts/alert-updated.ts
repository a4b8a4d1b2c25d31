import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(4096);
const instant = z.iso.datetime({ offset: true, error: "expected an RFC 3339 date and time" });

/** The part of an alert people change. A field left out did not take part in the change. */
const lifeCycle = z.looseObject({
  status: z.enum(["open", "acknowledged", "in_progress", "resolved", "suppressed"]).optional(),
  disposition: z.enum(["true_positive", "benign", "false_positive", "duplicate", "test"]).nullish(),
  assignee: text.nullish(),
  snoozed_until: instant.nullish(),
  note: text.nullish(),
});

const data = z.looseObject({
  alert_id: z.uuid({ error: "expected a UUID" }),
  revision: z
    .int()
    .positive()
    .describe("Counts the changes of this alert, from 1; a gap means one was missed."),
  action: z
    .enum(["acknowledge", "unacknowledge", "assign", "snooze", "unsnooze", "resolve", "reopen", "comment"])
    .optional()
    .describe("What was done."),
  changed_at: instant,
  changed_by: z
    .looseObject({ type: z.enum(["user", "rule", "system"]), id: text })
    .describe("Who made the change."),
  reason: text.nullish().describe("Why, in the words of whoever made it."),
  before: lifeCycle,
  after: lifeCycle,
});

export type AlertUpdated = z.infer<typeof data>;

export const alertUpdated = defineContract({
  type: "io.auditflow.alert.updated.v1",
  description: "A change in the life cycle of an alert: who, when, why, before and after.",
  data,
  examples: [
    {
      alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
      revision: 1,
      action: "assign",
      changed_at: "2026-11-21T12:04:00.000Z",
      changed_by: { type: "user", id: "ana" },
      reason: "Looking into it.",
      before: { assignee: null },
      after: { assignee: "ana" },
    },
  ],
});
