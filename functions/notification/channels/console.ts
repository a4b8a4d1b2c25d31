import { z } from "zod";

import { flagSetting } from "../../../runtime/settings.ts";
import { defineChannel } from "./channel.ts";

/** Tells whoever reads the log: one line per episode, without personal data. */
export const consoleChannel = defineChannel({
  type: "console",
  settings: z.object({ AUDITFLOW_CONSOLE: flagSetting.default(true) }),
  open({ AUDITFLOW_CONSOLE }, { log }) {
    if (!AUDITFLOW_CONSOLE) return undefined;
    return async ({ message: { data } }) => {
      const { alert_id, severity, rule_id } = data;
      log.warn({ alert_id, severity, rule_id }, `alert raised: ${data.alert_name}`);
    };
  },
});
