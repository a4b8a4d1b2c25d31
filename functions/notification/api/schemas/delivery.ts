import { z } from "@hono/zod-openapi";

import { anything, id, instant, nextCursor } from "./values.ts";

export const deliveryStatuses = ["pending", "delivered", "failed", "muted", "discarded"] as const;

const deliveryShape = {
  delivery_id: id,
  alert_ids: z.array(id),
  channel: z.string(),
  kind: z.string().openapi({ example: "raised" }),
  route: z.string().nullable(),
  status: z.enum(deliveryStatuses),
  muted_by: z.string().nullable().openapi({ example: "silence/0197a1e2-7c1f-5d3a-9a51-3f2b8c1d4e5f" }),
  attempts: z.int(),
  created_at: instant,
  due_at: instant,
  finished_at: instant.nullable(),
  last_error: z.string().nullable(),
};

export const deliverySchema = z.object(deliveryShape).openapi("Delivery");

const deliveryAttempt = z
  .object({
    attempt: z.int(),
    started_at: instant,
    duration_ms: z.number(),
    outcome: z.enum(["delivered", "again", "failed"]),
    status_code: z.int().nullable(),
    response: z.string().nullable(),
    idempotency_key: z.string(),
  })
  .openapi("DeliveryAttempt");

export const deliveryDetail = z
  .object({
    ...deliveryShape,
    message: anything.openapi({ description: "What is told, as the channel gets it." }),
    attempt_log: z.array(deliveryAttempt),
  })
  .openapi("DeliveryDetail");

export const deliveryPage = z
  .object({ items: z.array(deliverySchema), next: nextCursor })
  .openapi("DeliveryPage");
