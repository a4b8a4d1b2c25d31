import { z } from "@hono/zod-openapi";

import { alertSummary } from "./alert.ts";
import { id, instant } from "./values.ts";

export const silenceSchema = z
  .object({
    silence_id: id,
    query: z.string(),
    author: z.string(),
    comment: z.string(),
    starts_at: instant,
    ends_at: instant,
    created_at: instant,
    expired_by: z.string().nullable().openapi({ description: "Who ended it before its time." }),
    expired_at: instant.nullable(),
    active: z.boolean().openapi({ description: "Whether it is in force now." }),
  })
  .openapi("Silence");

export const silencePreview = z
  .object({
    matched: z.int().openapi({ description: "Stored alerts it would have muted." }),
    capped: z.boolean(),
    true_positives: z.int().openapi({ description: "How many of them turned out to be true positives." }),
    sample: z.array(alertSummary),
  })
  .openapi("SilencePreview");
