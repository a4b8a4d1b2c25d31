import { z } from "@hono/zod-openapi";

import { id, instant, nextCursor } from "./values.ts";

const optionalText = z.string().nullable();

const shape = {
  dead_letter_id: id,
  kind: z.enum(["rejected", "undeliverable"]),
  code: z.string().openapi({ example: "EVENT_DATA_INVALID" }),
  detail: z.string(),
  pointer: optionalText,
  origin: z
    .string()
    .openapi({ description: "The function that refused it, or where the broker could not deliver it." }),
  event: z.object({ source: optionalText, id: optionalText, type: optionalText, time: optionalText }),
  truncated: z.boolean().openapi({ description: "Only its beginning was kept." }),
  received_at: instant,
  last_received_at: instant,
  status: z.enum(["open", "replayed", "discarded"]),
  handled_by: optionalText,
  handled_at: instant.nullable(),
  handled_reason: optionalText,
};

export const deadLetter = z.object(shape).openapi("DeadLetter");

export const deadLetterDetail = z
  .object({
    ...shape,
    headers: z.record(z.string(), z.string()),
    body: optionalText.openapi({ description: "The body as text, when it is UTF-8." }),
    body_base64: z.string(),
  })
  .openapi("DeadLetterDetail");

export const deadLetterPage = z
  .object({ items: z.array(deadLetter), next: nextCursor })
  .openapi("DeadLetterPage");

export const replayResult = z
  .object({
    dead_letter_id: id,
    destination: z.string(),
    status: z.int().optional().openapi({ description: "What the destination answered, where it answers." }),
    event_id: z.string(),
    detail: z.string().optional().openapi({ description: "What was special about it." }),
  })
  .openapi("ReplayResult");
