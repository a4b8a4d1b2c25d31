import { z } from "zod";

import { targets } from "../../functions/index.ts";
import { type Environment, parseConfig, parseConfigs } from "../../runtime/config.ts";
import { hostConfig } from "../../runtime/host-config.ts";
import type { LogLevel } from "../../runtime/log.ts";
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

/** Addresses that `dev` gives to its functions itself, filled in so that the rest can be checked before. */
const given = {
  DATABASE_URL: "postgres://localhost/auditflow",
  K_SINK: "http://localhost/",
  AUDITFLOW_NOTIFICATION_URL: "http://localhost/",
};

/**
 * Checks the settings of `dev` and of every function; throws ConfigError with all problems at once.
 * Answers with how much is to be logged; where servers are is read from the environment itself.
 */
export async function parseDevConfig(env: Environment): Promise<{ readonly logLevel: LogLevel }> {
  const functions = await Promise.all(
    Object.entries(targets).map(async ([name, load]) => [name, (await load()).config] as const),
  );
  const schemas: Record<string, z.ZodType> = { ...Object.fromEntries(functions), host: hostConfig };
  parseConfigs({ ...schemas, dev: devConfig }, { ...given, ...env, PORT: undefined });
  return { logLevel: parseConfig(devConfig, env).LOG_LEVEL };
}
