import { z } from "zod";

import { urlSetting } from "../../runtime/settings.ts";
import { parseDuration } from "./rules/duration.ts";

const longestMs = 86_400_000;

/** A duration such as `10m`, `90s` or `500ms`, as milliseconds; at most a day. */
const durationSetting = z.string().transform((value, context) => {
  const ms = parseDuration(value);
  if (ms !== undefined && ms <= longestMs) return ms;
  context.issues.push({
    code: "custom",
    message: "expected a duration up to a day, such as 10m",
    input: value,
  });
  return z.NEVER;
});

/** Everything the analysis function reads from its environment. */
export const analysisConfig = z.object({
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
  }),
  /** Shared by all replicas. Without it the windows live in this process, so there may be one only. */
  REDIS_URL: urlSetting({
    schemes: ["redis", "rediss"],
    example: "redis://host:6379",
    hint: "Unset, state is kept in memory: for one replica only.",
  }).optional(),
  /** Begins every key in Redis. */
  AUDITFLOW_REDIS_PREFIX: z.string().optional(),
  /** Folder of rule files, watched for changes. */
  AUDITFLOW_RULES_DIR: z.string().default("rules"),
  /** How far behind the newest of its group an event is still evaluated in its window; later, from the ledger. */
  AUDITFLOW_LATENESS: durationSetting.default(600_000),
  /** How long the broker is given before `POST /reconcile` emits something again. */
  AUDITFLOW_RECONCILE_AFTER: durationSetting.default(120_000),
  /** Groups of one correlation in memory; events of further ones are not counted, which an alert tells. */
  AUDITFLOW_MAX_GROUPS: z.coerce.number().int().min(1).default(100_000),
  /** Events of one group in memory; what needs older ones is evaluated from the ledger. */
  AUDITFLOW_MAX_GROUP_MEMBERS: z.coerce.number().int().min(1).default(10_000),
  /** Alerts of one rule about one source in a minute that are told one by one; further ones are summed up. 0: all. */
  AUDITFLOW_FLOOD_LIMIT: z.coerce.number().int().min(0).default(100),
  /** Connections to PostgreSQL at most. */
  AUDITFLOW_POSTGRES_CONNECTIONS: z.coerce.number().int().min(1).max(100).default(4),
  /** Where to fail on purpose, for fault tests; see runtime/failpoints.ts. */
  AUDITFLOW_FAILPOINTS: z.string().default(""),
  AUDITFLOW_FAILPOINTS_SEED: z.coerce.number().int().optional(),
});
export type AnalysisConfig = z.infer<typeof analysisConfig>;
