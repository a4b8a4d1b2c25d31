import { z } from "zod";

import { accessSettings } from "../../runtime/access/settings.ts";
import { urlSetting } from "../../runtime/settings.ts";

/** Everything the generator reads from its environment, beside what every function reads. */
export const generatorConfig = z
  .object({
    ...accessSettings.shape,
    /** When the answer may say `accepted`: after the ledger's commit, or after the broker's confirm. */
    AUDITFLOW_DURABILITY: z.enum(["ledger", "broker"]).default("ledger"),
    DATABASE_URL: urlSetting({
      schemes: ["postgres", "postgresql"],
      example: "postgres://user@host:5432/auditflow",
    }).optional(),
    /** Where the settings of the synthetic traffic survive scale to zero; else they live in this process. */
    REDIS_URL: urlSetting({ schemes: ["redis", "rediss"], example: "redis://host:6379" }).optional(),
    AUDITFLOW_REDIS_PREFIX: z.string().optional(),
    /** What GitHub signs webhooks with; without it signatures are not checked. */
    AUDITFLOW_GITHUB_SECRET: z.string().min(8).optional(),
    /** The predecessor's way to have synthetic traffic: one event every so many seconds, from the start. */
    AUDITFLOW_EVENT_GENERATION_INTERVAL_SECONDS: z.coerce.number().positive().max(86_400).optional(),
  })
  .refine(
    ({ AUDITFLOW_DURABILITY, DATABASE_URL }) =>
      AUDITFLOW_DURABILITY !== "ledger" || DATABASE_URL !== undefined,
    {
      path: ["DATABASE_URL"],
      error: "is not set, and AUDITFLOW_DURABILITY=ledger keeps events there",
    },
  );

export type GeneratorConfig = z.infer<typeof generatorConfig>;
