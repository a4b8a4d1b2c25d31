import { z } from "zod";

import { defineChannel } from "./channel.ts";

const spoken = {
  "alert.raised": "alert raised",
  "alert.reopened": "alert reopened",
  "alert.repeated": "alert still open",
  "alert.escalated": "alert escalated",
  "alert.digest": "digest of alerts",
  "alert.resolved": "alert resolved",
  test: "message to try the channel",
} as const;

/** Tells whoever reads the log: one line per message, without personal data. */
export const consoleChannel = defineChannel({
  type: "console",
  description: "A line in the log of notification, without personal data.",
  settings: z.strictObject({}),
  open(_settings, { log }) {
    return async ({ message: { type, data, group } }) => {
      const { alert_id, severity, rule_id } = data;
      const total = group !== undefined && group.total > 1 ? { total: group.total, route: group.route } : {};
      log.warn({ alert_id, severity, rule_id, ...total }, `${spoken[type]}: ${data.alert_name}`);
      return {};
    };
  },
});
