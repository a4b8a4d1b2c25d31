import { z } from "zod";

import { logLevelSetting, urlSetting } from "../../runtime/settings.ts";

/** What `auditflow dev` itself reads; each function reads its own settings beside it. */
export const devConfig = z.object({
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
    hint: "Leave it unset to use the embedded store.",
  }).optional(),
  AMQP_URL: urlSetting({
    schemes: ["amqp", "amqps"],
    example: "amqp://user@host:5672",
    hint: "Leave it unset to use the broker in this process.",
  }).optional(),
  REDIS_URL: urlSetting({
    schemes: ["redis", "rediss"],
    example: "redis://host:6379",
    hint: "Leave it unset to keep state in this process.",
  }).optional(),
  LOG_LEVEL: logLevelSetting.default("info"),
});
