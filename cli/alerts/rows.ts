import { z } from "zod";

import type { Column } from "../print.ts";

/** The part of an alert that the commands show; the rest is passed on as it came. */
export const alertRow = z.looseObject({
  alert_id: z.string(),
  alert_name: z.string(),
  severity: z.string(),
  status: z.string(),
  rule_id: z.string(),
  actor_id: z.string().nullish(),
  server_hostname: z.string().nullish(),
  assignee: z.string().nullish(),
  snoozed_until: z.string().nullish(),
  count: z.number(),
  last_seen: z.string(),
  revision: z.number(),
});
export type AlertRow = z.infer<typeof alertRow>;

export const alertColumns: readonly Column<AlertRow>[] = [
  ["LAST SEEN", ({ last_seen }) => last_seen],
  ["SEVERITY", ({ severity }) => severity],
  ["STATUS", ({ status, snoozed_until }) => (isSnoozed(snoozed_until) ? `${status} (snoozed)` : status)],
  ["COUNT", ({ count }) => String(count)],
  ["RULE", ({ rule_id }) => rule_id],
  ["ABOUT", ({ actor_id, server_hostname }) => [actor_id, server_hostname].filter(Boolean).join("@") || "-"],
  ["ASSIGNEE", ({ assignee }) => assignee ?? "-"],
  ["ID", ({ alert_id }) => alert_id],
];

function isSnoozed(until: string | null | undefined): boolean {
  return typeof until === "string" && Date.parse(until) > Date.now();
}

/** Where the rows of a list are, and how to go on. */
export const alertPage = z.looseObject({ items: z.array(alertRow), next: z.string().nullish() });
